# SPDX-License-Identifier: MIT
"""The net part of the HAL on CPython: UDP, TCP and TLS over IPv4 and IPv6, and Unix sockets for the phone's other programs.

`hal/__init__.py` describes the interface. An address is a tuple as Python's sockets take it: (address, port), with two more
numbers for IPv6.
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
    """The net part. make_engine() makes the TLS engine when it is needed for the first time."""

    def __init__(self, clock, make_engine):
        self._clock = clock
        self._make_engine = make_engine
        self._engine = None
        self.static_rsa = False

    @property
    def tls_name(self):
        """The name of the TLS engine: "libphonetrust", or "ssl" if the library is not built."""
        return self._tls().name

    async def resolve(self, host, port, deadline):
        """The address of a host, which is a name or digits. Raises OSError: ENOENT if there is no address, ETIMEDOUT."""
        return (await resolving.resolve(host, port, deadline))[1]

    def address_text(self, address):
        """The address as text: "192.0.2.1:69" or "[2001:db8::1]:69"."""
        return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"

    def same_host(self, first, second):
        """Whether both addresses are of the same host, whatever their ports are."""
        return first[0] == second[0] and first[3:] == second[3:]

    def udp(self, address):
        """A UDP socket on a free port, for servers with addresses of this kind."""
        return UdpSocket(_family(address))

    async def tcp(self, host, port, deadline):
        """A connected stream. Raises OSError: ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT, and those of resolve()."""
        family, address = await resolving.resolve(host, port, deadline)
        return Stream(sockets, await sockets.connect(family, address, deadline))

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
    """One UDP socket. If a datagram is there already, receiving it takes one system call and no turn of the loop."""

    def __init__(self, family):
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._receive = self._socket.recvfrom_into
        self._streak = 0

    def send(self, data, address):
        """Send one datagram. If the system has no room for it, it is lost, as any datagram may be. Raises OSError, for example
        without a route."""
        try:
            self._socket.sendto(data, address)
        except BlockingIOError:
            pass

    async def receive_into(self, buffer, deadline):
        """(count, address) of the next datagram, or None at the deadline. After the deadline it returns only a datagram that is
        there already."""
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
                pass  # this is about a datagram that was sent before, and counts as silence

    def close(self):
        """Close the socket and free its port."""
        sockets.close(self._socket)


class Listener:
    """A listening Unix socket. Raises OSError, EEXIST if the path is not a socket."""

    def __init__(self, path):
        self._path = path
        _remove_socket(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            mask = os.umask(0o117)  # 0660: the phone's other programs are in the agent's group
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
        """Wait for the next client, and return its stream. Raises OSError, for example if no file descriptor is left."""
        await sockets.rest()  # lets other tasks run, even if clients never stop coming
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
        """Stop listening, and remove the socket file."""
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
    """Remove a socket file that was left behind. Raises OSError (EEXIST) if a file of this name is not a socket."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "there is a file of this name that is not a socket")
        os.unlink(path)
    except FileNotFoundError:
        pass
