# SPDX-License-Identifier: MIT
"""Helpers for scenarios with a lab cluster."""
