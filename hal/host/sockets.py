# SPDX-License-Identifier: MIT
"""The functions of sockets that hal/streams.py needs, on CPython."""

import asyncio
import errno
import os
import socket
import struct

from hal.host import waiting


def receive(connected, buffer):
    """Move bytes into `buffer`. Returns their number, 0 at the end, None if nothing is there now. Raises OSError."""
    try:
        return connected.recv_into(buffer)
    except BlockingIOError:
        return None


def send(connected, data):
    """Send bytes. Returns how many were taken, None if none are taken now. Raises OSError."""
    try:
        return connected.send(data)
    except BlockingIOError:
        return None


def readable(connected, deadline):
    """To be awaited: True once bytes can be received, False at the deadline (ms of the clock; None: no end)."""
    return waiting.readable(connected.fileno(), deadline)


def writable(connected, deadline):
    """As readable(), for sending."""
    return waiting.writable(connected.fileno(), deadline)


async def rest():
    """Let other tasks run."""
    await asyncio.sleep(0)


def credentials(connected):
    """(process, user, group) of the program at the other end of a Unix socket when it connected."""
    found = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
    return struct.unpack("iII", found)


def close(connected):
    """Close a socket, and wake the tasks that wait for it."""
    if connected.fileno() >= 0:
        waiting.forget(connected.fileno())
    connected.close()


async def connect(family, address, deadline):
    """A connected TCP socket. Raises OSError: ETIMEDOUT, ECONNREFUSED, ..."""
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failure = connected.connect_ex(address)
        if failure == errno.EINPROGRESS:
            if not await writable(connected, deadline):
                raise OSError(errno.ETIMEDOUT, "no answer in time")
            failure = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise OSError(failure, os.strerror(failure))
    except BaseException:
        close(connected)
        raise
    return connected
