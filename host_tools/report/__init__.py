# SPDX-License-Identifier: MIT
"""Self-contained pages: one file, no network, nothing of a server's text taken as HTML."""
