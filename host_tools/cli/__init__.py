# SPDX-License-Identifier: MIT
"""The command `phonetrust`: one file for each command; main.py puts them together."""
