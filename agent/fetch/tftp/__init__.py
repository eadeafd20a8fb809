# SPDX-License-Identifier: MIT
"""The TFTP client: packets, one transfer, and which server is asked."""
