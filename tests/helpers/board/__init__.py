# SPDX-License-Identifier: MIT
"""Helpers for tests on booted boards."""
