# SPDX-License-Identifier: MIT
"""The model of a cluster: keys, phones, state, procedures, and what phones will make of it."""
