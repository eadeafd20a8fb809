# SPDX-License-Identifier: MIT
"""The trust agent of an IP phone: what is trusted, how it is fetched, what is kept.

Runs unchanged under CPython and MicroPython. Imports nothing but what both share, and reaches the world only
through the HAL it is given (see hal/__init__.py)."""

VERSION = "0.1.0"
