# SPDX-License-Identifier: MIT
"""The trust verification service: its messages and its client."""
