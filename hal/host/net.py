# SPDX-License-Identifier: MIT
"""The net part of the HAL on CPython: UDP, TCP and TLS over IPv4 and IPv6, Unix sockets for the phone's other programs.

Described in `hal/__init__.py`. An address is what Python's sockets take: (address, port), with two more numbers for IPv6.
"""

import asyncio
import errno
import os
import socket
import stat

from hal import tls_stream
from hal.host import resolving, sockets, waiting
from hal.streams import BURST, LocalStream, Stream


class Net:
    """All of `net`. make_engine() makes the TLS engine when it is first needed."""

    def __init__(self, clock, make_engine):
        self._clock = clock
        self._make_engine = make_engine
        self._engine = None
        self.static_rsa = False

    @property
    def tls_name(self):
        """Whose TLS it is: "libphonetrust", or "ssl" where that is not built."""
        return self._tls().name

    async def resolve(self, host, port, deadline):
        """The address of a name or of digits. OSError: ENOENT where there is none, ETIMEDOUT."""
        return (await resolving.resolve(host, port, deadline))[1]

    def address_text(self, address):
        """ "192.0.2.1:69" or "[2001:db8::1]:69"."""
        return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"

    def same_host(self, first, second):
        """True where both are the same host, on whatever ports."""
        return first[0] == second[0] and first[3:] == second[3:]

    def udp(self, address):
        """A UDP socket on a free port, for servers with addresses of this kind."""
        return UdpSocket(_family(address))

    async def tcp(self, host, port, deadline):
        """A connected stream. OSError: refused, unreachable, ETIMEDOUT."""
        family, address = await resolving.resolve(host, port, deadline)
        return Stream(sockets, await sockets.connect(family, address, deadline))

    async def tls(self, host, port, deadline, accept, identity=None):
        """A TLS stream whose server was accepted. OSError as tcp, EACCES, EPROTO; ValueError: identity."""
        engine = self._tls()
        made = engine.connect(identity, tls_stream.server_name(host), self.static_rsa)
        return await tls_stream.connect(self, made, self._clock, host, port, deadline, accept)

    def listen_local(self, path):
        """A listening Unix socket at `path`, for this user and group; a socket file left behind there is replaced."""
        return Listener(path)

    def _tls(self):
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine


class UdpSocket:
    """One UDP socket. A datagram that is there already costs one system call and no turn of the loop."""

    def __init__(self, family):
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._receive = self._socket.recvfrom_into
        self._streak = 0

    def send(self, data, address):
        """Send one datagram; where the system has no room for it, it is lost like any other. OSError: no route ..."""
        try:
            self._socket.sendto(data, address)
        except BlockingIOError:
            pass

    async def receive_into(self, buffer, deadline):
        """(count, address) of the next datagram, None at the deadline; after it only what is there already."""
        self._streak += 1
        if self._streak >= BURST:
            self._streak = 0
            await asyncio.sleep(0)
        while True:
            try:
                return self._receive(buffer)
            except BlockingIOError:
                self._streak = 0
                if not await waiting.readable(self._socket.fileno(), deadline):
                    return None
            except ConnectionRefusedError:
                pass  # of a datagram that was sent before: silence

    def close(self):
        """Give the port back."""
        sockets.close(self._socket)


class Listener:
    """A listening Unix socket."""

    def __init__(self, path):
        self._path = path
        _remove_socket(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            mask = os.umask(0o117)  # other programs of the phone are of its group
            try:
                self._socket.bind(path)
            finally:
                os.umask(mask)
            self._socket.listen(8)
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise

    async def accept(self):
        """The next client's stream; waits for it. OSError: no file descriptor is left ..."""
        await sockets.rest()  # clients that come without end leave other tasks their turn
        while True:
            try:
                connected = self._socket.accept()[0]
            except BlockingIOError:
                await sockets.readable(self._socket, None)
                continue
            except ConnectionAbortedError:
                continue
            connected.setblocking(False)
            return LocalStream(sockets, connected)

    def close(self):
        """Stop listening; the file goes too."""
        if self._socket.fileno() < 0:
            return
        sockets.close(self._socket)
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass


def _family(address):
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def _remove_socket(path):
    """Remove a socket that was left behind. OSError (EEXIST) where something else has this name."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "there is something else of this name")
        os.unlink(path)
    except FileNotFoundError:
        pass
