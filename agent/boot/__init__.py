# SPDX-License-Identifier: MIT
"""The room that puts the steps of a boot in order."""
