# SPDX-License-Identifier: MIT
"""A board's serial console on the PC: `phonetrust console TARGET`."""
