# SPDX-License-Identifier: MIT
"""The servers of a lab cluster: TFTP, TVS, CAPF, HTTP; and the real TFTP servers of tests."""
