# SPDX-License-Identifier: MIT
"""Files of servers that run now, fetched by the phone's own clients."""
