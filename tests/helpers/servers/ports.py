# SPDX-License-Identifier: MIT
"""Ports for tests."""

import socket


def free_port():
    """A port without a listener."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
