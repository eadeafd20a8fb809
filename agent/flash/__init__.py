# SPDX-License-Identifier: MIT
"""The room that reads and writes flash. It also lends the phone's one large buffer."""
