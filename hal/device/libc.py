# SPDX-License-Identifier: MIT
"""What a board's HAL takes from libc by ffi, where MicroPython lacks it. Its users give literal argument lists: ffi checks
nothing."""

import os

import ffi

EINTR, EAGAIN = 4, 11  # MicroPython's errno lacks the first

libc = ffi.open("libc.so.6")


def transferred(count):
    """Of a call that moves bytes: how many, None where it would have to wait. OSError."""
    if count >= 0:
        return count
    error = os.errno()
    if error == EAGAIN or error == EINTR:
        return None
    raise OSError(error)
