# SPDX-License-Identifier: MIT
"""The part of the HAL's `net` that both Pythons share; hal/host/net.py and hal/device/net.py complete it.

`sockets` is as in hal/streams.py. An address is what this Python's sockets take."""

import os

from hal import tls_stream
from hal.streams import BURST, LocalStream

ENOENT, EAGAIN, ECONNABORTED = 2, 11, 103


class Net:
    """The net part. make_engine() makes the TLS engine when it is needed for the first time. A subclass makes the streams."""

    def __init__(self, clock, make_engine):
        self._clock = clock
        self._make_engine = make_engine
        self._engine = None
        self.static_rsa = False

    @property
    def tls_name(self):
        """The name of the TLS engine: "libphonetrust", or on CPython "ssl" if the library is not built."""
        return self._tls().name

    async def tls(self, host, port, deadline, accept, identity=None):
        """A TLS stream whose server accept() has accepted. Raises OSError as tcp(), EACCES and EPROTO; ValueError if the
        identity cannot be used."""
        engine = self._tls()
        made = engine.connect(identity, tls_stream.server_name(host), self.static_rsa)
        return await tls_stream.connect(self, made, self._clock, host, port, deadline, accept)

    def _tls(self):
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine


class UdpSocket:
    """One UDP socket. A datagram that is there already goes into the caller's buffer without a turn of the loop.

    Each Python adds _take(buffer): (count, address) of a datagram that is there, or None."""

    def __init__(self, sockets, made):
        made.setblocking(False)
        self._sockets = sockets
        self._socket = made
        self._streak = 0

    def send(self, data, address):
        """Send one datagram. If the system has no room for it, it is lost, as any datagram may be. Raises OSError, for example
        without a route."""
        try:
            self._socket.sendto(data, address)
        except OSError as error:
            if error.errno != EAGAIN:
                raise

    async def receive_into(self, buffer, deadline):
        """(count, address) of the next datagram, or None at the deadline. After the deadline it returns only a datagram that is
        there already."""
        self._streak += 1
        if self._streak >= BURST:
            self._streak = 0
            await self._sockets.rest()
        while True:
            found = self._take(buffer)
            if found is not None:
                return found
            self._streak = 0
            if not await self._sockets.readable(self._socket, deadline):
                return None

    def close(self):
        """Close the socket and free its port."""
        self._sockets.close(self._socket)


class Listener:
    """A Unix socket that listens at `path`."""

    def __init__(self, sockets, path, listening):
        listening.setblocking(False)
        self._sockets = sockets
        self._path = path
        self._socket = listening

    async def accept(self):
        """Wait for the next client, and return its stream. Raises OSError, for example if no file descriptor is left."""
        await self._sockets.rest()  # lets other tasks run, even if clients never stop coming
        while True:
            try:
                connected = self._socket.accept()[0]
            except OSError as error:
                if error.errno == EAGAIN:
                    await self._sockets.readable(self._socket, None)
                elif error.errno != ECONNABORTED:
                    raise
                continue
            connected.setblocking(False)
            return LocalStream(self._sockets, connected)

    def close(self):
        """Stop listening, and remove the socket file."""
        if self._path is not None:
            self._sockets.close(self._socket)
            remove(self._path)
            self._path = None


def remove(path):
    """Remove a file that may be gone already. Raises OSError."""
    try:
        os.unlink(path)
    except OSError as error:
        if error.errno != ENOENT:
            raise
