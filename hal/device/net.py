# SPDX-License-Identifier: MIT
"""The net part of the HAL under MicroPython. `hal/__init__.py` describes the interface.

An address is a packed struct, as MicroPython's sockets take it. sockaddr_in: family:2 (in the machine's byte order), port:2,
IPv4 address:4, zeros:8. sockaddr_in6: family:2, port:2, flow:4, address:16, scope:4.
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
    """The net part. make_engine() makes the TLS engine when it is needed for the first time."""

    def __init__(self, clock, make_engine):
        self._clock = clock
        self._make_engine = make_engine
        self._engine = None
        self.static_rsa = False

    @property
    def tls_name(self):
        """The name of the TLS engine: always "libphonetrust"."""
        return self._tls().name

    async def resolve(self, host, port, deadline):
        """The packed address of a host, which is a name or digits. Raises OSError: ENOENT if there is no address, ETIMEDOUT."""
        return await resolving.resolve(host, port, deadline)

    def address_text(self, address):
        """The address as text: "192.0.2.1:69" or "[2001:db8::1]:69"."""
        port = address[2] << 8 | address[3]
        if _is_ipv6(address):
            return "[%s]:%d" % (socket.inet_ntop(socket.AF_INET6, address[8:24]), port)
        return "%d.%d.%d.%d:%d" % (address[4], address[5], address[6], address[7], port)

    def same_host(self, first, second):
        """Whether both addresses are of the same host, whatever their ports are."""
        if len(first) != len(second):
            return False
        return first[8:28] == second[8:28] if _is_ipv6(first) else first[4:8] == second[4:8]

    def udp(self, address):
        """A UDP socket on a free port, for servers with addresses of this kind."""
        return UdpSocket(address)

    async def tcp(self, host, port, deadline):
        """A connected stream. Raises OSError: ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT, and those of resolve()."""
        address = await resolving.resolve(host, port, deadline)
        return Stream(sockets, await sockets.connect(address, deadline))

    async def tls(self, host, port, deadline, accept, identity=None):
        """A TLS stream whose server accept() has accepted. Raises OSError as tcp(), EACCES and EPROTO; ValueError if the
        identity cannot be used."""
        engine = self._tls()
        made = engine.connect(identity, tls_stream.server_name(host), self.static_rsa)
        return await tls_stream.connect(self, made, self._clock, host, port, deadline, accept)

    def listen_local(self, path):
        """A listening Unix socket at `path`, for programs of this user and group. An old socket file is replaced. Raises
        OSError."""
        return Listener(path)

    def _tls(self):
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine


class UdpSocket:
    """One UDP socket. A datagram goes directly into the caller's buffer, and if it is there already, without a turn of the
    loop."""

    def __init__(self, address):
        self._socket = socket.socket(struct.unpack("H", address)[0], socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._number = self._socket.fileno()
        self._address = bytearray(len(address))
        self._address_size = bytearray(4)
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
            elif error != EINTR and error != ECONNREFUSED:  # ECONNREFUSED is about a datagram that was sent before
                raise OSError(error)

    def close(self):
        """Close the socket and free its port."""
        sockets.close(self._socket)
        self._number = -1


class Listener:
    """A listening Unix socket. Raises OSError, EEXIST if the path is not a socket."""

    def __init__(self, path):
        self._path = path
        if _is_there(path):
            if os.stat(path)[0] & S_IFMT != S_IFSOCK:
                raise OSError(EEXIST, "there is a file of this name that is not a socket")
            _remove(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = _umask(0o117)  # 0660: the phone's other programs are in the agent's group
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
        """Wait for the next client, and return its stream. Raises OSError, for example if no file descriptor is left."""
        await sockets.rest()  # lets other tasks run, even if clients never stop coming
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
        """Stop listening, and remove the socket file."""
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
