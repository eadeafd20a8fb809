# SPDX-License-Identifier: MIT
"""Self-contained pages: one file that loads nothing from the network and escapes all text of servers."""
