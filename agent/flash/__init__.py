# SPDX-License-Identifier: MIT
"""The room that reads and writes flash: what is kept, and where it lives in memory."""
