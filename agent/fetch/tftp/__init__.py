# SPDX-License-Identifier: MIT
"""The TFTP client: its packets, one transfer, and the client itself. agent/fetch/fetcher.py chooses the server."""
