# SPDX-License-Identifier: MIT
"""The trust agent of an IP phone: it fetches files, decides what to trust, and keeps what it trusts.

It runs unchanged under CPython and MicroPython. It imports only modules that both have, and reaches the world only
through the HAL that it is given (see hal/__init__.py)."""

import gc

# By default MicroPython collects garbage only when the heap is full. By then live objects are scattered over the whole heap,
# and a heap of 512 KB that is half free has no 64 KB in one piece for a trust list. CPython has no such function.
if hasattr(gc, "threshold"):
    gc.threshold((gc.mem_alloc() + gc.mem_free()) // 16)  # bytes allocated between two collections

VERSION = "0.2.0"
