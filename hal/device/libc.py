# SPDX-License-Identifier: MIT
"""What a board's HAL takes from libc by ffi, where MicroPython lacks it. Its users give literal argument lists: ffi checks
nothing."""

import ffi

EINTR = 4  # MicroPython's errno lacks the name

libc = ffi.open("libc.so.6")
