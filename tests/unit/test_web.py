# SPDX-License-Identifier: MIT
"""One file from one server by HTTPS and HTTP: connections, certificates, deadlines."""

from agent.fetch.errors import NoServer, NotFound, Stalled
from agent.fetch.web import Web
from agent.flash.buffers import BufferSink
from hal.fake import FakeClock, FakeNet
from tests.helpers.agent.both import raises, run
from tests.helpers.agent.web_server import WebServer

HOST = "192.0.2.1"
SERVER = (HOST, 69)
FOREVER = 1 << 40


class World:
    """Web on a fake network. accepted: the certificate that is; shown: those that accept() was asked about."""

    def __init__(self, plain=None, secure=None, **more):
        self.clock = FakeClock()
        self.net = FakeNet(self.clock)
        self.net.serve_tcp(HOST, 6970, plain)
        self.net.serve_tcp(HOST, 6971, secure, b"certificate")
        self.accepted = b"certificate"
        self.shown = []
        self.web = Web(self.net, self.clock, self.accept, **more)
        self.sink = BufferSink(bytearray(1000))

    async def accept(self, certificate):
        self.shown.append(certificate)
        return certificate == self.accepted

    def fetch(self, secure=False, name="a.xml", limit=1000, deadline=FOREVER):
        size = run(self.web.fetch(SERVER, secure, name, self.sink, limit, deadline))
        assert size == len(self.sink.data)
        return bytes(self.sink.data)

    def fails(self, error, cause, secure=False, **more):
        found = raises(error, self.fetch, secure, **more)
        assert found.server == "192.0.2.1:697%d" % secure and found.cause == cause, str(found)
        return found


def test_both_ways():
    plain, secure = WebServer({"a.xml": b"plain"}), WebServer({"a.xml": b"secure"})
    world = World(plain, secure, identity=(b"LSC", b"key"))
    assert world.fetch() == b"plain" and world.shown == []
    assert plain.identity is None, "by HTTP nobody learns it"
    assert world.fetch(True) == b"secure" and world.shown == [b"certificate"]
    assert secure.identity == (b"LSC", b"key")
    world.web.identity = None
    world.fetch(True)
    assert secure.identity is None


def test_ports_and_addresses():
    world = World()
    world.net.serve_tcp(HOST, 80, WebServer({"a.xml": b"80"}))
    world.web = Web(world.net, world.clock, world.accept, http_port=80, https_port=443)
    assert world.fetch() == b"80"
    assert world.web.address(("2001:db8::1", 69), True) == "[2001:db8::1]:443"
    assert world.web.address(SERVER, False) == "192.0.2.1:80"


def test_a_server_that_is_not_believed_hears_nothing():
    secure = WebServer({"a.xml": b"x"})
    world = World(secure=secure, identity=(b"LSC", b"key"))
    world.accepted = b"another"
    world.fails(NoServer, "its certificate is not accepted", True)
    assert secure.asked == [] and secure.identity is None and secure.connections == 0


def test_no_server_there():
    world = World()
    world.fails(NoServer, "connection refused")
    world.net.silent.add(HOST)
    world.fails(NoServer, "no answer in time", True)
    assert world.clock.now == 1000 + 3000, "a connection has its own deadline"
    world = World()
    world.net.serve_tcp(HOST, 6971, WebServer({}))
    world.fails(NoServer, "TLS failed: TLS: one side speaks it and the other does not", True)


def test_an_identity_that_cannot_be_shown():
    world = World()

    async def tls(*args):
        raise ValueError("bad key")

    world.net.tls = tls
    world.fails(NoServer, "this phone's own certificate cannot be shown: bad key", True)


def test_not_found():
    assert World(WebServer({})).fails(NotFound, "HTTP status 404").reason == "not-found"


def test_deadlines():
    world = World(WebServer({}, silent=True))
    world.fails(NoServer, "no answer in time")
    assert world.clock.now == 1000 + 3000, "the head has one of its own"
    world.fails(NoServer, "no answer in time", deadline=world.clock.now + 500)
    assert world.clock.now == 1000 + 3500, "the caller's holds"

    def drips(peer, data):
        if data:
            peer.say(b"HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n")
            for second in range(100):
                peer.say(b"x", second * 1000)

    world = World(drips, deadline=20500)
    world.fails(Stalled, "no answer in time")
    assert world.clock.now == 1000 + 20500, "the whole file has one"


def test_connections_are_closed():
    closed = []

    class Watched(WebServer):
        def __call__(self, peer, data):
            self.peer = peer
            WebServer.__call__(self, peer, data)

    for server, error in (
        (Watched({"a.xml": b"x"}), None),
        (Watched({}), NotFound),
        (Watched({}, silent=True), NoServer),
    ):
        world = World(server)
        if error:
            raises(error, world.fetch)
        else:
            world.fetch()
        closed.append(server.peer.client_closed)
    assert closed == [True, True, True]


def test_what_the_sink_raises_comes_through():
    class Full:
        def begin(self, size):
            raise OSError(28)

    world = World(WebServer({"a.xml": b"x"}))
    world.sink = Full()
    assert raises(OSError, world.fetch).args[0] == 28
