# SPDX-License-Identifier: MIT
"""The room that waits for trust servers: TVS and CAPF."""
