# SPDX-License-Identifier: MIT
"""The command `phonetrust`: one file for each command; main.py puts them together."""

INTERRUPTED = 130  # exit status after Ctrl-C, as a shell has it
