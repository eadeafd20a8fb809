# SPDX-License-Identifier: MIT
"""The net part of the HAL on CPython: UDP, TCP and TLS over IPv4 and IPv6, and Unix sockets for the phone's other programs.

`hal/__init__.py` describes the interface. An address is a tuple as Python's sockets take it: (address, port), with two more
numbers for IPv6.
"""

import errno
import os
import socket
import stat

from hal import net
from hal.host import resolving, sockets
from hal.streams import Stream


class Net(net.Net):
    """The net part of this Python."""

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
        return UdpSocket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)

    async def tcp(self, host, port, deadline):
        """A connected stream. Raises OSError: ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT, and those of resolve()."""
        family, address = await resolving.resolve(host, port, deadline)
        return Stream(sockets, await sockets.connect(family, address, deadline))

    def listen_local(self, path):
        """A listening Unix socket at `path`, for programs of this user and group. An old socket file is replaced. Raises
        OSError."""
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
                pass  # this is about a datagram that was sent before, and counts as silence


def _listening(path):
    _remove_socket(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mask = os.umask(0o117)  # 0660: the phone's other programs are in the agent's group
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
    """Remove a socket file that was left behind. Raises OSError (EEXIST) if a file of this name is not a socket."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "there is a file of this name that is not a socket")
        os.unlink(path)
    except FileNotFoundError:
        pass
