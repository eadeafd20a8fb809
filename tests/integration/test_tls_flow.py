# SPDX-License-Identifier: MIT
"""libphonetrust's TLS where the caller is slow to send: nothing is lost, nothing hangs; and connections of many threads."""

import threading

from tests.helpers.tls import exchange
from tests.helpers.tls.hostile import HostileServer, Server12, Server13, Twist
from tests.helpers.tls.identity import identity
from tests.helpers.tls.openssl_server import REQUEST, OpenSSLServer
from tests.helpers.tls.wire import ALERT, APPLICATION_DATA, CLOSE_NOTIFY, HANDSHAKE, message

DEADLINE = 20000


class Listens(Twist):
    """Keeps what the client sends once the handshake is over; first sends `greeting`, made by the server's cipher."""

    def __init__(self, greeting=None):
        self.greeting = greeting
        self.heard = []
        self.done = threading.Event()

    def opened(self, server):
        if self.greeting:
            server.raw(self.greeting(server))
        try:
            while self.heard[-1:] != [(ALERT, CLOSE_NOTIFY)]:
                self.heard.append(server.reader.record())
        finally:
            self.done.set()

    @property
    def data(self):
        return b"".join(body for kind, body in self.heard if kind == APPLICATION_DATA)


def fill(connection):
    """Write until no more is taken, without sending anything; how many bytes that were."""
    taken = 0
    while count := connection.write(b"x" * 1000):
        taken += count
    return taken


def test_an_end_behind_data_that_was_not_sent_yet():
    for kind in (Server12, Server13):
        twist = Listens()
        with HostileServer(kind, identity("ec256"), twist) as server:
            connection = exchange.tls().connect()
            wire = exchange.Wire(server.port, DEADLINE)
            exchange.shake_hands(connection, wire)
            taken = fill(connection)
            assert 3000 < taken <= 4200
            connection.shut()
            wire.send(connection.output())
            assert twist.done.wait(DEADLINE / 1000)
            wire.close()
            connection.free()
        assert twist.data == b"x" * taken
        assert twist.heard[-1] == (ALERT, CLOSE_NOTIFY)


def test_an_alert_that_finds_no_room_does_not_stop_what_follows():
    full = threading.Event()

    def ask(server):
        assert full.wait(DEADLINE / 1000)
        return b"".join(server.seal(HANDSHAKE, message("HelloRequest", b"")) for _ in range(3))

    twist = Listens(ask)
    with HostileServer(Server12, identity("ec256"), twist) as server:
        connection = exchange.tls().connect()
        wire = exchange.Wire(server.port, DEADLINE)
        exchange.shake_hands(connection, wire)
        taken = fill(connection)
        full.set()
        connection.receive(wire.receive())
        assert connection.state == "open"
        wire.send(connection.output())
        exchange.write(connection, wire, b"y" * 10000)
        connection.shut()
        wire.send(connection.output())
        assert twist.done.wait(DEADLINE / 1000)
        wire.close()
        connection.free()
    assert twist.data == b"x" * taken + b"y" * 10000
    assert (ALERT, b"\x01\x64") in twist.heard  # warning no_renegotiation


def test_connections_of_several_threads_at_once():
    failures = []

    def work(port, pair):
        for _ in range(10):
            result = exchange.exchange(port, REQUEST, 100000, identity=pair)
            if result["state"] != "ended" or not result["read"].startswith(b"HTTP/1.0 200 ok"):
                failures.append(result)

    with OpenSSLServer(identity("ec256"), "-verify", "1") as server:
        pairs = [None, identity("rsa2048", "client").pair, identity("ec256", "client").pair] * 2
        threads = [threading.Thread(target=work, args=(server.port, pair)) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
