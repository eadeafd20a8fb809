# SPDX-License-Identifier: MIT
"""The room that waits for trust servers, TVS and CAPF. The Judge, which puts rules and TVS together, is here too."""
