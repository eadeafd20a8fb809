# SPDX-License-Identifier: MIT
"""The room that reads bytes: trust lists, signed files, names, configuration. Of the agent it imports only errors."""
