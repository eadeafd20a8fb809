# SPDX-License-Identifier: MIT
"""Builds the SD card image of a board from packages: `phonetrust image build BOARD`."""
