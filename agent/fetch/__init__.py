# SPDX-License-Identifier: MIT
"""The room that waits for file servers: TFTP, HTTP and HTTPS, and which of them is asked when."""
