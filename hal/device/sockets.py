# SPDX-License-Identifier: MIT
"""What hal/streams.py needs of sockets, under MicroPython.

MicroPython's readinto waits until the whole buffer is full, so bytes are moved by libc.
"""

import asyncio
import socket
import struct

from hal.device import waiting
from hal.device.libc import EAGAIN, libc, transferred

EINPROGRESS, ETIMEDOUT = 115, 110
SOL_TCP, TCP_NODELAY = 6, 1
SOL_SOCKET, SO_ERROR, SO_PEERCRED = 1, 4, 17
MSG_DONTWAIT, MSG_NOSIGNAL = 0x40, 0x4000

_recv = libc.func("l", "recv", "iPLi")
_send = libc.func("l", "send", "iPLi")
_getsockopt = libc.func("i", "getsockopt", "iiipp")

readable = waiting.readable


def receive(connected, buffer):
    """Bytes moved into `buffer`, 0 at the end, None where nothing is there now."""
    return transferred(_recv(connected.fileno(), buffer, len(buffer), MSG_DONTWAIT))


def send(connected, data):
    """How many bytes were taken, None where none are now."""
    return transferred(_send(connected.fileno(), data, len(data), MSG_DONTWAIT | MSG_NOSIGNAL))


def writable(connected, deadline):
    """Awaited: True where bytes can be sent, False at the deadline."""
    return waiting.writable(connected.fileno(), deadline)


def rest():
    """Awaited: other tasks get their turn."""
    return asyncio.sleep_ms(0)


def credentials(connected):
    """(process, user, group) of the program at the other end of a Unix socket, as it was when it connected."""
    found = bytearray(12)  # struct ucred
    _getsockopt(connected.fileno(), SOL_SOCKET, SO_PEERCRED, found, bytearray(struct.pack("I", len(found))))
    return struct.unpack("iII", found)


def close(connected):
    """Close a socket, for which a task may wait."""
    number = connected.fileno()
    if number >= 0:
        waiting.forget(connected, number)
    connected.close()


async def connect(address, deadline):
    """A connected TCP socket. OSError: ETIMEDOUT, ECONNREFUSED, ..."""
    connected = socket.socket(struct.unpack("H", address)[0], socket.SOCK_STREAM)
    try:
        connected.setblocking(False)
        connected.setsockopt(SOL_TCP, TCP_NODELAY, 1)
        try:
            connected.connect(address)
        except OSError as error:
            if error.errno not in (EINPROGRESS, EAGAIN):
                raise
            if not await writable(connected, deadline):
                raise OSError(ETIMEDOUT, "no answer in time")
        failure = bytearray(4)
        _getsockopt(connected.fileno(), SOL_SOCKET, SO_ERROR, failure, bytearray(struct.pack("I", len(failure))))
        failure = struct.unpack("i", failure)[0]
        if failure:
            raise OSError(failure)
    except BaseException:
        close(connected)
        raise
    return connected
