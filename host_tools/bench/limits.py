# SPDX-License-Identifier: MIT
"""What is known of targets that are missed, and of lines that are worse than in an earlier release: by name of the line."""

LIMITS = {}
