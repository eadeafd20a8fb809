# SPDX-License-Identifier: MIT
"""The Fetcher against servers that do anything: it ends by the boot's deadline, with the file or an error, and does not ask a
server again that cost time and gave nothing."""

from hypothesis import event, given, settings
from hypothesis import strategies as st

from agent.fetch.errors import FetchError, NotFound
from agent.fetch.fetcher import SERVERS_LIMIT, Fetcher
from agent.fetch.tftp.client import Client
from agent.fetch.web import Web
from hal.fake import FakeClock, FakeNet, FakeRandom
from tests.helpers.agent.both import run

FILES = {name: name.encode() * 20 for name in ("CTLFile.tlv", "ITLFile.tlv", "SEP.cnf.xml")}
WAYS = {"https": 6971, "http": 6970, "tftp": 69}
BEHAVIOUR = st.sampled_from(["good", "good", "forged", "missing", "broken", "silent", "drips", "absent", "endless"])
LATENESS = st.integers(0, 2500)


class Sink:
    def begin(self, size):
        self.data = b""

    def write(self, block):
        self.data += bytes(block)
        assert len(self.data) <= 1000, "no byte over the limit"


class Servers:
    """Up to ten servers, each way of which has a behaviour. asked: (way, host, name), in order."""

    def __init__(self, net, behaviours):
        self.asked = []
        self.net = net
        self.behaviours = behaviours
        for host, ways in behaviours.items():
            for way, (behaviour, delay) in ways.items():
                if behaviour == "absent":
                    continue
                if way == "tftp":
                    net.serve_udp(host, 69, self._tftp(host, behaviour, delay))
                else:
                    certificate = b"good" if way == "https" else None
                    net.serve_tcp(host, WAYS[way], self._web(way, host, behaviour, delay), certificate)

    def body(self, way, host, name):
        """What this server delivers; None where it has nothing."""
        behaviour = self.behaviours[host][way][0]
        return {"good": FILES[name], "forged": b"forged " + FILES[name]}.get(behaviour)

    def _tftp(self, host, behaviour, delay):
        def server(data, source, reply):
            if data[1] != 1:
                if behaviour == "endless" and data[1] == 4:
                    reply(b"\0\3" + ((data[2] << 8 | data[3]) + 1).to_bytes(2, "big") + bytes(512), delay, 5000)
                return
            name = bytes(data[2:]).split(b"\0")[0].decode()
            self.asked.append(("tftp", host, name))
            if behaviour == "missing":
                reply(b"\0\5\0\1no\0", delay, 5000)
            elif behaviour == "broken":
                reply(b"\0\5\0\2no\0", delay, 5000)
            elif behaviour in ("drips", "endless"):
                reply(b"\0\3\0\1" + bytes(512), delay, 5000)
            elif behaviour != "silent":
                reply(b"\0\3\0\1" + self.body("tftp", host, name), delay, 5000)

        return server

    def _web(self, way, host, behaviour, delay):
        def server(peer, data):
            if not data:
                return
            name = bytes(data).split(b" ")[1][1:].decode()
            self.asked.append((way, host, name))
            if behaviour in ("missing", "broken"):
                peer.say(b"HTTP/1.1 %d x\r\n\r\n" % (404 if behaviour == "missing" else 500), delay)
            elif behaviour == "endless":
                peer.say(b"HTTP/1.1 200 x\r\n\r\n", delay)
                for second in range(300):
                    peer.say(bytes(10), delay + 1000 * second)
            elif behaviour == "drips":
                for second in range(300):
                    peer.say(b"H", delay + 1000 * second)
            elif behaviour != "silent":
                body = self.body(way, host, name)
                peer.say(b"HTTP/1.1 200 x\r\nContent-Length: %d\r\n\r\n" % len(body) + body, delay)

        return server


HOSTS = [f"192.0.2.{number}" for number in range(1, 11)]
CLUSTER = st.integers(1, 10).flatmap(
    lambda count: st.fixed_dictionaries(
        {host: st.fixed_dictionaries({way: st.tuples(BEHAVIOUR, LATENESS) for way in WAYS}) for host in HOSTS[:count]}
    )
)


@given(CLUSTER, st.integers(0, 200000), st.booleans(), st.booleans())
@settings(max_examples=200)
def test_a_boot_against_any_servers(behaviours, budget, http, secure):
    clock = FakeClock()
    net = FakeNet(clock)
    servers = Servers(net, behaviours)

    async def accept(certificate):
        return True

    web = Web(net, clock, accept) if http else None
    fetcher = Fetcher(Client(net, clock, FakeRandom()), web, [(host, 69) for host in behaviours], clock)
    deadline = clock.now + budget
    fetcher.begin(deadline)
    dead = set()
    for name in FILES:
        sink = Sink()
        judged = []

        async def judge(way, server, name=name, sink=sink, judged=judged):
            judged.append((way, server, sink.data))
            assert sink.data == servers.body(way, server[0], name), "a whole body, of this server"
            return sink.data == FILES[name]

        servers.asked.clear()
        try:
            fetched = run(fetcher.fetch(name, sink, 1000, secure=secure, judge=judge))
        except FetchError as error:
            event("NotFound" if isinstance(error, NotFound) else "an error")
            assert error.file == name and str(error) and judged == []
            if isinstance(error, NotFound):
                assert servers.behaviours[fetcher.server[0]]
        else:
            event("taken" if fetched.satisfied else "refused")
            assert fetched.satisfied == (judged[-1][2] == FILES[name])
            assert (fetched.way, fetched.server) == judged[-1][:2]
            assert not fetched.satisfied or fetched.server == fetcher.server
        assert clock.now <= max(deadline, 1000)
        assert {host for _, host, _ in servers.asked} <= set(list(behaviours)[:SERVERS_LIMIT])
        assert not dead & {(way, host) for way, host, _ in servers.asked}
        dead |= {(way, host) for way, host, _ in servers.asked if behaviours[host][way][0] in ("silent", "drips")}
        if not http:
            assert {way for way, _, _ in servers.asked} <= {"tftp"}
    assert sum(spent for _, spent in fetcher.costs()) == clock.now - 1000, "every ms is accounted for"
