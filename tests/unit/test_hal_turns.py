# SPDX-License-Identifier: MIT
"""Whoever has much to read or many clients leaves the other tasks their turn (hal/net.py, hal/streams.py)."""

from hal.net import EAGAIN, ECONNABORTED, Listener, UdpSocket
from hal.streams import BURST, Stream
from tests.helpers.agent.both import raises, run


class Sockets:
    """Sockets where there is always something, and that count the turns that others got and the waits."""

    def __init__(self):
        self.rests = 0
        self.waits = 0

    async def rest(self):
        self.rests += 1

    async def readable(self, made, deadline):
        self.waits += 1
        return True

    def receive(self, made, buffer):
        return 1

    def credentials(self, made):
        return (1, 2, 3)


class Made:
    """A socket of a Python. results: what accept() raises or returns, one after the other."""

    def __init__(self, results=()):
        self.results = list(results)

    def setblocking(self, flag):
        assert flag is False

    def accept(self):
        result = self.results.pop(0)
        if isinstance(result, int):
            raise OSError(result, "no client")
        return result, b""

    def sendto(self, data, address):
        raise OSError(address, "no way")


class Flood(UdpSocket):
    """A socket to which datagrams come without end."""

    def _take(self, buffer):
        return 1, "address"


class Rare(UdpSocket):
    """A socket to which a datagram comes in every second look."""

    looks = 0

    def _take(self, buffer):
        self.looks += 1
        return None if self.looks % 2 else (1, "address")


def test_a_stream_that_never_waits_rests_after_a_burst():
    sockets = Sockets()
    stream = Stream(sockets, None)
    for _ in range(3 * BURST):
        assert run(stream.read_into(bytearray(1), 0)) == 1
    assert sockets.rests == 3


def test_datagrams_without_end_rest_after_a_burst():
    sockets = Sockets()
    socket = Flood(sockets, Made())
    for _ in range(3 * BURST):
        assert run(socket.receive_into(bytearray(1), 0)) == (1, "address")
    assert (sockets.rests, sockets.waits) == (3, 0)


def test_a_socket_that_waits_needs_no_rest():
    sockets = Sockets()
    socket = Rare(sockets, Made())
    for _ in range(3 * BURST):
        assert run(socket.receive_into(bytearray(1), 0)) == (1, "address")
    assert (sockets.rests, sockets.waits) == (0, 3 * BURST)


def test_each_client_leaves_others_a_turn_and_one_that_has_gone_is_passed_over():
    sockets = Sockets()
    listener = Listener(sockets, "nowhere", Made([Made(), EAGAIN, ECONNABORTED, Made(), 24]))
    assert run(listener.accept()).process == 1
    assert run(listener.accept()).group == 3
    assert (sockets.rests, sockets.waits) == (2, 1)
    assert raises(OSError, run, listener.accept()).args[0] == 24, "no file descriptor is left"


def test_a_datagram_for_which_there_is_no_room_is_lost_and_other_errors_are_told():
    socket = Flood(Sockets(), Made())
    socket.send(b"x", EAGAIN)
    assert raises(OSError, socket.send, b"x", 101).args[0] == 101
