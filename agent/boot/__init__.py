# SPDX-License-Identifier: MIT
"""The room that has the steps of a boot and their order, and what is done again later."""
