# SPDX-License-Identifier: MIT
"""The model of a cluster: keys, phones, state, procedures, and the forecast of what phones will do."""
