# SPDX-License-Identifier: MIT
"""The functions of sockets that hal/streams.py needs, under MicroPython.

MicroPython's readinto waits until the whole buffer is full, so libc moves the bytes.
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
    """Move bytes into `buffer`. Returns their number, 0 at the end, None if nothing is there now. Raises OSError."""
    return transferred(_recv(connected.fileno(), buffer, len(buffer), MSG_DONTWAIT))


def send(connected, data):
    """Send bytes. Returns how many were taken, None if none are taken now. Raises OSError."""
    return transferred(_send(connected.fileno(), data, len(data), MSG_DONTWAIT | MSG_NOSIGNAL))


def writable(connected, deadline):
    """To be awaited: True once bytes can be sent, False at the deadline (ms of the clock; None: no end)."""
    return waiting.writable(connected.fileno(), deadline)


def rest():
    """To be awaited: lets other tasks run."""
    return asyncio.sleep_ms(0)


def credentials(connected):
    """(process, user, group) of the program at the other end of a Unix socket when it connected."""
    found = bytearray(12)  # struct ucred
    _getsockopt(connected.fileno(), SOL_SOCKET, SO_PEERCRED, found, bytearray(struct.pack("I", len(found))))
    return struct.unpack("iII", found)


def close(connected):
    """Close a socket, and wake the tasks that wait for it."""
    number = connected.fileno()
    if number >= 0:
        waiting.forget(connected, number)
    connected.close()


async def connect(address, deadline):
    """A connected TCP socket. Raises OSError: ETIMEDOUT, ECONNREFUSED, ..."""
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
