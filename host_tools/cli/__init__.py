# SPDX-License-Identifier: MIT
"""The command `phonetrust`: one file a command; main.py puts them together."""
