# SPDX-License-Identifier: MIT
"""The room that reads bytes: trust lists, signed files, names, configuration. Imports nothing of the agent but errors."""
