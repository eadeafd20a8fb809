# SPDX-License-Identifier: MIT
"""What writes the files of a cluster: trust lists, signed and encrypted files, configurations."""
