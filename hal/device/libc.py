# SPDX-License-Identifier: MIT
"""libc for a board's HAL, by ffi, for functions that MicroPython lacks. Callers use literal argument lists, because ffi checks
nothing."""

import os

import ffi

EINTR, EAGAIN = 4, 11  # MicroPython's errno lacks EINTR

libc = ffi.open("libc.so.6")


def transferred(count):
    """The result of a call that moves bytes: their number, or None if the call would have to wait. count: what libc returned.
    Raises OSError."""
    if count >= 0:
        return count
    error = os.errno()
    if error == EAGAIN or error == EINTR:
        return None
    raise OSError(error)
