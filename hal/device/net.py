# SPDX-License-Identifier: MIT
"""The net part of the HAL under MicroPython: described in `hal/__init__.py`.

An address is what MicroPython's sockets take, the packed struct sockaddr_in: family:2 (the machine's order), port:2, IPv4
address:4, zeros:8; or sockaddr_in6: family:2, port:2, flow:4, address:16, scope:4.
"""

import asyncio
import os
import socket
import struct

from hal import tls_stream
from hal.device import resolving, sockets, waiting
from hal.device.libc import EAGAIN, EINTR, libc
from hal.streams import BURST, LocalStream, Stream

ENOENT, EEXIST, ECONNABORTED, ECONNREFUSED = 2, 17, 103, 111
S_IFMT, S_IFSOCK = 0o170000, 0o140000
MSG_DONTWAIT = sockets.MSG_DONTWAIT

_recvfrom = libc.func("l", "recvfrom", "ipLipp")
_umask = libc.func("i", "umask", "i")


class Net:
    """All of `net`. make_engine() makes the TLS engine when it is first needed."""

    def __init__(self, clock, make_engine):
        self._clock = clock
        self._make_engine = make_engine
        self._engine = None
        self.static_rsa = False

    @property
    def tls_name(self):
        """Whose TLS it is: always "libphonetrust"."""
        return self._tls().name

    async def resolve(self, host, port, deadline):
        """The packed address of a name or of digits. OSError: ENOENT where there is none, ETIMEDOUT."""
        return await resolving.resolve(host, port, deadline)

    def address_text(self, address):
        """ "192.0.2.1:69" or "[2001:db8::1]:69"."""
        port = address[2] << 8 | address[3]
        if _is_ipv6(address):
            return "[%s]:%d" % (socket.inet_ntop(socket.AF_INET6, address[8:24]), port)
        return "%d.%d.%d.%d:%d" % (address[4], address[5], address[6], address[7], port)

    def same_host(self, first, second):
        """True where both are the same host, on whatever ports."""
        if len(first) != len(second):
            return False
        return first[8:28] == second[8:28] if _is_ipv6(first) else first[4:8] == second[4:8]

    def udp(self, address):
        """A UDP socket on a free port, for servers with addresses of this kind."""
        return UdpSocket(address)

    async def tcp(self, host, port, deadline):
        """A connected stream. OSError: refused, unreachable, ETIMEDOUT."""
        address = await resolving.resolve(host, port, deadline)
        return Stream(sockets, await sockets.connect(address, deadline))

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
    """One UDP socket. A datagram goes straight into the caller's buffer, without a turn of the loop if it is there."""

    def __init__(self, address):
        self._socket = socket.socket(struct.unpack("H", address)[0], socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._number = self._socket.fileno()
        self._address = bytearray(len(address))
        self._address_size = bytearray(4)
        self._streak = 0

    def send(self, data, address):
        """Send one datagram; where the system has no room for it, it is lost like any other. OSError: no route ..."""
        try:
            self._socket.sendto(data, address)
        except OSError as error:
            if error.errno != EAGAIN:
                raise

    async def receive_into(self, buffer, deadline):
        """(count, address) of the next datagram, None at the deadline; after it only what is there already."""
        self._streak += 1
        if self._streak >= BURST:
            self._streak = 0
            await asyncio.sleep_ms(0)
        while True:
            struct.pack_into("I", self._address_size, 0, len(self._address))
            count = _recvfrom(self._number, buffer, len(buffer), MSG_DONTWAIT, self._address, self._address_size)
            if count >= 0:
                return count, bytes(self._address)
            error = os.errno()
            if error == EAGAIN:
                self._streak = 0
                if not await waiting.readable(self._socket, deadline):
                    return None
            elif error != EINTR and error != ECONNREFUSED:  # refused: of a datagram that was sent before
                raise OSError(error)

    def close(self):
        """Give the port back."""
        sockets.close(self._socket)
        self._number = -1


class Listener:
    """A listening Unix socket."""

    def __init__(self, path):
        self._path = path
        if _is_there(path):
            if os.stat(path)[0] & S_IFMT != S_IFSOCK:
                raise OSError(EEXIST, "there is something else of this name")
            _remove(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = _umask(0o117)  # other programs of the phone are of the agent's group
        try:
            self._socket.bind(struct.pack("H", socket.AF_UNIX) + path.encode() + b"\0")
        except OSError:
            self._socket.close()
            raise
        finally:
            _umask(mask)
        self._socket.listen(8)
        self._socket.setblocking(False)

    async def accept(self):
        """The next client's stream; waits for it. OSError: no file descriptor is left ..."""
        await sockets.rest()  # clients that come without end leave other tasks their turn
        while True:
            try:
                connected = self._socket.accept()[0]
            except OSError as error:
                if error.errno == EAGAIN:
                    await sockets.readable(self._socket, None)
                elif error.errno != ECONNABORTED:
                    raise
                continue
            connected.setblocking(False)
            return LocalStream(sockets, connected)

    def close(self):
        """Stop listening; the file goes too."""
        if self._path is not None:
            sockets.close(self._socket)
            _remove(self._path)
            self._path = None


def _is_ipv6(address):
    return len(address) == 28


def _is_there(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _remove(path):
    try:
        os.unlink(path)
    except OSError as error:
        if error.errno != ENOENT:
            raise
