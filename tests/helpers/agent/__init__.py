# SPDX-License-Identifier: MIT
"""Helpers for tests of the agent, for both Pythons."""
