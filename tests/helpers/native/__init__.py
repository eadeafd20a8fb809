# SPDX-License-Identifier: MIT
"""Helpers for tests of the C library."""
