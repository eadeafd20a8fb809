# SPDX-License-Identifier: MIT
"""The room that reads bytes: trust lists, signed files, names, configuration. It imports nothing of the agent except errors."""
