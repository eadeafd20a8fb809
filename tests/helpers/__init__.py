# SPDX-License-Identifier: MIT
"""Code that tests share. No file here is a test."""
