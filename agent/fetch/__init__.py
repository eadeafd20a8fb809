# SPDX-License-Identifier: MIT
"""The room that waits for file servers. It speaks TFTP, HTTP and HTTPS, and chooses the server and the protocol."""
