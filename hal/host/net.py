# SPDX-License-Identifier: MIT
"""The net part of the HAL on CPython: UDP, TCP and TLS over IPv4 and IPv6, Unix sockets for the phone's other programs.

Described in `hal/__init__.py`. An address is what Python's sockets take: (address, port), with two more numbers for IPv6.
"""

import errno
import os
import socket
import stat

from hal import net
from hal.host import resolving, sockets
from hal.streams import Stream


class Net(net.Net):
    """All of `net`."""

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
        return UdpSocket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)

    async def tcp(self, host, port, deadline):
        """A connected stream. OSError: refused, unreachable, ETIMEDOUT."""
        family, address = await resolving.resolve(host, port, deadline)
        return Stream(sockets, await sockets.connect(family, address, deadline))

    def listen_local(self, path):
        """A listening Unix socket at `path`, for this user and group; a socket file left behind there is replaced."""
        return net.Listener(sockets, path, _listening(path))


class UdpSocket(net.UdpSocket):
    """One UDP socket. A datagram that is there already costs one system call."""

    def __init__(self, family):
        super().__init__(sockets, socket.socket(family, socket.SOCK_DGRAM))
        self._receive = self._socket.recvfrom_into

    def _take(self, buffer):
        while True:
            try:
                return self._receive(buffer)
            except BlockingIOError:
                return None
            except ConnectionRefusedError:
                pass  # of a datagram that was sent before: silence


def _listening(path):
    _remove_socket(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mask = os.umask(0o117)  # other programs of the phone are of its group
        try:
            made.bind(path)
        finally:
            os.umask(mask)
        made.listen(8)
    except OSError:
        made.close()
        raise
    return made


def _remove_socket(path):
    """Remove a socket that was left behind. OSError (EEXIST) where something else has this name."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "there is something else of this name")
        os.unlink(path)
    except FileNotFoundError:
        pass
