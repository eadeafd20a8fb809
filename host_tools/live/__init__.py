# SPDX-License-Identifier: MIT
"""Servers that run now: what they hand out, fetched and judged by the phone's own clients."""
