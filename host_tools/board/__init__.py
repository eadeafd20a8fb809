# SPDX-License-Identifier: MIT
"""Emulated boards: the image that is flashed, booted in QEMU."""
