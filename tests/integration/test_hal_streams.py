# SPDX-License-Identifier: MIT
"""Conformance of the HALs: TCP connections, and what waiting, cancelling and closing mean."""

import contextlib
import socket
import ssl
import threading

import pytest

from tests.helpers.servers import hal_sides

EBADF, ECONNRESET, ETIMEDOUT, ECONNREFUSED = 9, 104, 110, 111


@pytest.fixture(params=[*hal_sides.PLAIN, "fake"])
def side(request):
    return hal_sides.side(request.param)


@pytest.fixture(params=hal_sides.PLAIN)
def real(request):
    return hal_sides.side(request.param)


def test_a_refused_connection(side):
    with hal_sides.closed_port() as port:
        found = side.probe("connect", kind="tcp", port=port, patience=20000)
    assert found["found"] == {"error": ECONNREFUSED} and found["took"] < 15000


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_a_connection_that_no_server_accepts_ends_at_its_deadline(real, kind):
    # A listener whose queue is full answers nothing at all.
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        found = real.probe("connect", kind=kind, port=full.getsockname()[1], patience=300)
    assert found["found"] == {"error": ETIMEDOUT} and 250 <= found["took"] < 5000


def test_a_stream_answers_and_falls_silent(side):
    with side.tcp(hal_sides.ANSWERS) as port:
        found = side.probe("talk", kind="tcp", port=port, say="x", patience=300, reads=2)
    assert found["got"][0][0] == b"answer to x".hex()
    assert found["got"][1][0] == {"error": ETIMEDOUT} and 250 <= found["got"][1][1] < 5000
    assert found["certificate"] is None and not found["orderly"]


def test_the_end_of_plain_tcp_is_orderly(side):
    with side.tcp(hal_sides.SAYS_BYE) as port:
        found = side.probe("talk", kind="tcp", port=port, say="x", reads=3)
    assert [got for got, _ in found["got"]] == [b"bye".hex(), "", ""] and found["orderly"]


def test_a_reset_is_an_error_and_no_end(side):
    with side.tcp(hal_sides.RESETS) as port:
        found = side.probe("talk", kind="tcp", port=port, say="x")
    assert found["got"][0][0] == {"error": ECONNRESET} and not found["orderly"]


def test_a_server_that_speaks_first(side):
    with side.tcp(hal_sides.SPEAKS_FIRST) as port:
        found = side.probe("talk", kind="tcp", port=port)
    assert found["got"][0][0] == b"first".hex()


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_much_data_goes_and_comes_whole(real, kind, identities):
    size = 1 << 19

    def echo(connection):
        data = b""
        while len(data) < size:
            data += connection.recv(65536)
        connection.sendall(data)
        connection.recv(1)

    def handle(connection):
        if kind == "tcp":
            echo(connection)
            return
        context = hal_sides.server_context(identities["p256"])
        with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as secure:
            echo(secure)

    with hal_sides.serving(handle) as port:
        assert real.probe("bulk", kind=kind, port=port, size=size) == [size, True]


def test_a_server_that_reads_nothing_costs_the_deadline(real):
    released = threading.Event()
    with hal_sides.serving(lambda connection: released.wait(60)) as port:
        answer, took = real.probe("full", kind="tcp", port=port)
        released.set()
    assert answer == {"error": ETIMEDOUT} and 250 <= took < 5000


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_waits_are_cancelled_closed_and_never_doubled(real, kind, identities):
    context = hal_sides.server_context(identities["p256"]) if kind == "tls" else None
    with real.tcp(hal_sides.SILENT, context) as port:
        found = real.probe("waits", kind=kind, port=port)
    assert found["second"][0] == {"error": "RuntimeError"}, "one task waits for one direction"
    assert "cancelled" not in found
    assert found["after"][0] == {"error": ETIMEDOUT}, "a cancelled wait leaves nothing behind"
    assert found["closed"][0] == {"error": EBADF} and found["closed"][1] < 15000


def test_a_server_that_never_stops_sending_leaves_other_tasks_their_turn(real):
    def floods(connection):
        while True:
            connection.sendall(b"x" * 65536)

    with hal_sides.serving(floods) as port:
        assert real.probe("flood", port=port) == 20
