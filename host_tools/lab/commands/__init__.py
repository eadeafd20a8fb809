# SPDX-License-Identifier: MIT
"""The lab's command line."""
