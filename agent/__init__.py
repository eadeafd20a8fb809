# SPDX-License-Identifier: MIT
"""The trust agent of an IP phone: what is trusted, how it is fetched, what is kept.

Runs unchanged under CPython and MicroPython. Imports nothing but what both share, and reaches the world only
through the HAL it is given (see hal/__init__.py)."""

import gc

# MicroPython by itself collects only when the heap is full. By then what lives on is scattered over all of it, and a
# heap of 512 KB with half of it free has no 64 KB in one piece for a trust list. CPython has no such function.
if hasattr(gc, "threshold"):
    gc.threshold((gc.mem_alloc() + gc.mem_free()) // 16)  # bytes allocated between two collections

VERSION = "0.2.0"
