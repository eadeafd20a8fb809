# SPDX-License-Identifier: MIT
"""A TCP connection of the host HAL, with TLS (hal/host/tls.py) or without (hal/host/net.py)."""

import errno


class Stream:
    """One TCP connection."""

    peer_certificate = None

    def __init__(self, connected):
        self._socket = connected

    def read_into(self, buffer):
        """Bytes read, 0 at the end. OSError: ETIMEDOUT for silence, ECONNRESET ..."""
        try:
            return self._socket.recv_into(buffer)
        except TimeoutError as error:
            raise OSError(errno.ETIMEDOUT, "no answer in time") from error

    def write(self, data):
        """Write all of it. OSError as read_into."""
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise OSError(errno.ETIMEDOUT, "the other side takes nothing") from error

    def close(self):
        """End the connection."""
        self._socket.close()
