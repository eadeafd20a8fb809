# SPDX-License-Identifier: MIT
"""The writers of a cluster's files: trust lists, signed and encrypted files, configurations."""
