# SPDX-License-Identifier: MIT
"""Helpers for tests with real sockets and servers."""
