# SPDX-License-Identifier: MIT
"""Writes an image to an SD card or a file: `phonetrust flash IMAGE TARGET`."""
