# SPDX-License-Identifier: MIT
"""The net part of the HAL under MicroPython. `hal/__init__.py` describes the interface.

An address is a packed struct, as MicroPython's sockets take it. sockaddr_in: family:2 (in the machine's byte order), port:2,
IPv4 address:4, zeros:8. sockaddr_in6: family:2, port:2, flow:4, address:16, scope:4.
"""

import os
import socket
import struct

from hal import net
from hal.device import resolving, sockets
from hal.device.libc import EAGAIN, EINTR, libc
from hal.streams import Stream

EEXIST, ECONNREFUSED = 17, 111
S_IFMT, S_IFSOCK = 0o170000, 0o140000
MSG_DONTWAIT = sockets.MSG_DONTWAIT

_recvfrom = libc.func("l", "recvfrom", "ipLipp")
_umask = libc.func("i", "umask", "i")


class Net(net.Net):
    """The net part of this Python."""

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

    def listen_local(self, path):
        """A listening Unix socket at `path`, for programs of this user and group. An old socket file is replaced. Raises
        OSError."""
        return net.Listener(sockets, path, _listening(path))


class UdpSocket(net.UdpSocket):
    """One UDP socket. A datagram goes directly into the caller's buffer."""

    def __init__(self, address):
        net.UdpSocket.__init__(self, sockets, socket.socket(struct.unpack("H", address)[0], socket.SOCK_DGRAM))
        self._number = self._socket.fileno()
        self._address = bytearray(len(address))
        self._address_size = bytearray(4)

    def _take(self, buffer):
        while True:
            struct.pack_into("I", self._address_size, 0, len(self._address))
            count = _recvfrom(self._number, buffer, len(buffer), MSG_DONTWAIT, self._address, self._address_size)
            if count >= 0:
                return count, bytes(self._address)
            error = os.errno()
            if error == EAGAIN:
                return None
            if error != EINTR and error != ECONNREFUSED:  # ECONNREFUSED is about a datagram that was sent before
                raise OSError(error)

    def close(self):
        """Close the socket and free its port."""
        net.UdpSocket.close(self)
        self._number = -1


def _listening(path):
    if _is_there(path):
        if os.stat(path)[0] & S_IFMT != S_IFSOCK:
            raise OSError(EEXIST, "there is a file of this name that is not a socket")
        net.remove(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = _umask(0o117)  # 0660: the phone's other programs are in the agent's group
    try:
        made.bind(struct.pack("H", socket.AF_UNIX) + path.encode() + b"\0")
    except OSError:
        made.close()
        raise
    finally:
        _umask(mask)
    made.listen(8)
    return made


def _is_ipv6(address):
    return len(address) == 28


def _is_there(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False
