# SPDX-License-Identifier: MIT
"""Which server is asked for a file, in which way, what the Fetcher remembers in a boot, and the error when all fail."""

from agent.fetch.errors import BadName, BadTransfer, NoServer, NotFound, Stalled, TooLarge, most_telling
from agent.fetch.fetcher import SERVERS_LIMIT, Fetcher
from agent.fetch.tftp.client import Client
from agent.fetch.web import Web
from agent.flash.buffers import BufferSink
from hal.fake import FakeClock, FakeNet, FakeRandom
from tests.helpers.agent.both import raises, run
from tests.helpers.agent.web_server import FileServer, WebServer

FIRST, SECOND = ("192.0.2.1", 69), ("192.0.2.2", 69)
FOREVER = 1 << 40
NAME = "a.xml"


class World:
    """A Fetcher on a fake network with two servers. http=False: TFTP alone. judged: (way, server) that were; refused: ways
    whose body the judge does not take."""

    def __init__(self, http=True, servers=(FIRST, SECOND), deadline=FOREVER):
        self.clock = FakeClock()
        self.net = FakeNet(self.clock)
        self.lines = []
        self.judged = []
        self.refused = ()
        self.sink = BufferSink(bytearray(1000))
        tftp = Client(self.net, self.clock, FakeRandom())
        web = Web(self.net, self.clock, self.accept) if http else None
        self.fetcher = Fetcher(tftp, web, servers, self.clock, self.lines.append)
        self.fetcher.begin(deadline)

    async def accept(self, certificate):
        return certificate == b"good"

    async def judge(self, way, server):
        self.judged.append((way, server))
        return way not in self.refused

    def serve(self, way, server=FIRST, files=None, certificate=b"good", **more):
        """Put a server of this way on the network."""
        files = {NAME: b"%s of %s" % (way.encode(), server[0].encode())} if files is None else files
        if way == "tftp":
            found = FileServer(files)
            self.net.serve_udp(server[0], server[1], found)
        else:
            found = WebServer(files, **more)
            port, shown = (6971, certificate) if way == "https" else (6970, None)
            self.net.serve_tcp(server[0], port, found, shown)
        return found

    def fetch(self, name=NAME, limit=1000, **more):
        return run(self.fetcher.fetch(name, self.sink, limit, **more))

    def judged_fetch(self):
        return self.fetch(secure=True, judge=self.judge)

    def sent_to(self):
        """Hosts that TFTP requests were sent to, in order, each once in a row."""
        hosts = []
        for kind, where, data in self.net.sent:
            if kind == "udp" and data[1] == 1 and hosts[-1:] != [where]:
                hosts.append(where)
        return hosts


# ---------------------------------------------------------------------- ways


def test_the_order_of_ways():
    world = World()
    servers = {way: world.serve(way) for way in ("https", "http", "tftp")}
    fetched = world.fetch(secure=True)
    assert (fetched.way, fetched.server, fetched.satisfied) == ("https", FIRST, True)
    assert bytes(world.sink.data) == b"https of 192.0.2.1" and fetched.failures == []
    assert servers["http"].asked == [] == servers["tftp"].asked
    assert world.fetch().way == "http", "HTTPS is for what the caller says"
    world.net.serve_tcp(FIRST[0], 6970, None)
    assert world.fetch().way == "tftp"
    assert World(http=False).fetcher._ways(True) == ("tftp",)


def test_without_http_only_tftp_is_asked():
    world = World(http=False)
    http, https = world.serve("http"), world.serve("https")
    world.serve("tftp")
    assert world.fetch(secure=True).way == "tftp" and http.connections == https.connections == 0


def test_every_failure_of_https_leaves_http():
    for more, words in (
        ({"certificate": b"bad"}, "its certificate is not accepted"),
        ({"certificate": None}, "TLS failed"),
        ({"files": {}}, "HTTP status 404"),
        ({"status": 500}, "HTTP status 500"),
        ({"silent": True}, "no answer in time"),
        ({"files": {NAME: bytes(1001)}}, "1001 bytes announced"),
    ):
        world = World(servers=[FIRST])
        https = world.serve("https", **more)
        world.serve("http")
        fetched = world.judged_fetch()
        assert fetched.way == "http" and fetched.satisfied, words
        assert world.judged == [("http", FIRST)]
        assert len(fetched.failures) == 1 and words in str(fetched.failures[0]), str(fetched.failures[0])
        assert str(fetched.failures[0]) in world.lines
        if "certificate" in more:
            assert https.asked == []


def test_every_failure_of_http_leaves_tftp():
    for more in ({"status": 500}, {"silent": True}, {"files": {NAME: bytes(1001)}}):
        world = World(servers=[FIRST])
        world.serve("http", **more)
        world.serve("tftp")
        assert world.fetch().way == "tftp", more


def test_a_way_has_all_servers_before_the_next_begins():
    world = World()
    world.serve("https", SECOND)
    http = world.serve("http", FIRST)
    assert world.fetch(secure=True).server == SECOND and http.asked == []


def test_a_body_that_is_refused_leaves_the_next_way():
    world = World()
    for way in ("https", "http", "tftp"):
        world.serve(way)
    second = world.serve("https", SECOND)
    world.refused = ("https",)
    fetched = world.judged_fetch()
    assert fetched.way == "http" and fetched.satisfied and second.asked == [], "another server has the same file"
    world.refused = ("https", "http")
    world.judged = []
    fetched = world.judged_fetch()
    assert fetched.way == "tftp" and fetched.satisfied
    assert world.judged == [("https", FIRST), ("http", FIRST), ("tftp", FIRST)]


def test_where_every_body_is_refused_the_last_one_is_the_result():
    world = World()
    for way in ("https", "http", "tftp"):
        world.serve(way)
    world.refused = ("https", "http", "tftp")
    fetched = world.judged_fetch()
    assert (fetched.way, fetched.satisfied) == ("tftp", False)
    for change in ({}, None):
        world = World(servers=[FIRST])
        world.serve("http")
        world.refused = ("http",)
        if change is not None:
            world.serve("tftp", files=change)
        fetched = world.judged_fetch()
        assert (fetched.way, fetched.satisfied) == ("http", False), "refused says more than absent"


# ---------------------------------------------------------------------- answers


def test_not_found_by_http_or_tftp_is_an_answer():
    world = World()
    world.serve("http", files={})
    tftp, second = world.serve("tftp"), world.serve("http", SECOND)
    error = raises(NotFound, world.fetch)
    assert error.server == "192.0.2.1:6970" and tftp.asked == [] == second.asked
    world = World(http=False)
    world.serve("tftp", files={})
    second = world.serve("tftp", SECOND)
    error = raises(NotFound, world.fetch)
    assert error.server == "192.0.2.1:69" and second.asked == [] and error.failures == [error]


def test_not_found_of_the_second_server_tells_what_the_first_did():
    world = World(http=False)
    world.serve("tftp", SECOND, {})
    error = raises(NotFound, world.fetch)
    assert error.server == "192.0.2.2:69"
    assert [type(each).__name__ for each in error.failures] == ["NoServer", "NotFound"]
    assert world.fetcher.server == SECOND


def test_404_by_https_is_no_answer():
    world = World(servers=[FIRST])
    world.serve("https", files={})
    error = raises(NoServer, world.fetch, secure=True)
    assert error.reason == "no-server" and "HTTP status 404" in str(error)
    world.serve("tftp", files={})
    world.fetcher.begin(FOREVER)
    assert raises(NotFound, world.fetch, secure=True).server == "192.0.2.1:69"


def test_the_server_that_answered_last_is_first():
    world = World(http=False)
    second = world.serve("tftp", SECOND)
    assert world.fetch().server == SECOND == world.fetcher.server
    first = world.serve("tftp", FIRST)
    world.fetcher.begin(FOREVER)
    assert world.fetch().server == SECOND and first.asked == []
    second.files = {}
    raises(NotFound, world.fetch)
    assert first.asked == [], "its no is an answer, too"
    world.fetcher.set_servers([FIRST])
    assert world.fetcher.server is None and world.fetch().server == FIRST


def test_the_way_does_not_matter_for_that():
    world = World()
    world.serve("http", SECOND)
    world.fetch()
    world.net.serve_tcp(SECOND[0], 6970, None)
    world.serve("tftp", FIRST)
    world.serve("tftp", SECOND)
    assert world.fetch().server == SECOND


# ---------------------------------------------------------------------- a boot


def test_a_server_that_failed_is_not_asked_again_in_the_same_boot():
    world = World(http=False)
    second = world.serve("tftp", SECOND)
    world.fetch()
    spent = world.clock.now
    assert world.sent_to() == ["192.0.2.1:69", "192.0.2.2:69"]
    second.files = {}
    world.fetcher.server = None
    error = raises(NotFound, world.fetch)
    assert world.clock.now == spent, "no second wait for the silent one"
    assert str(error.failures[0]) == (
        "a.xml from 192.0.2.1:69: not asked again, it failed before (no answer; requests sent: 4)"
    )
    world.serve("tftp", FIRST)
    world.fetcher.server = None
    assert world.fetch(deadline=FOREVER).server == FIRST, "outside of the boot everybody is asked"
    world.fetcher.server = None
    raises(NotFound, world.fetch)
    world.fetcher.begin(FOREVER)
    world.fetcher.server = None
    assert world.fetch().server == FIRST, "and in the next boot"


def test_a_failure_outside_of_a_boot_marks_no_server():
    world = World(http=False, servers=[FIRST])
    raises(NoServer, world.fetch, deadline=world.clock.now + 500)
    world.serve("tftp")
    assert world.fetch().server == FIRST


def test_each_way_of_a_server_is_left_alone_by_itself():
    world = World(servers=[FIRST])
    http = world.serve("http", silent=True)
    world.serve("tftp")
    assert world.fetch().way == "tftp" and world.fetch().way == "tftp" and len(http.asked) == 1


def test_a_server_that_stalls_costs_the_next_file_nothing():
    def stalls(data, source, reply):
        if data[1] == 1:
            reply(b"\0\3\0\1" + bytes(512), port=5000)

    world = World(http=False)
    world.net.serve_udp(FIRST[0], 69, stalls)
    second = world.serve("tftp", SECOND)
    assert isinstance(world.fetch().failures[0], Stalled)
    spent = world.clock.now
    world.fetcher.server = None
    world.fetch()
    assert world.clock.now == spent and len(second.asked) == 2


def test_what_costs_no_time_is_asked_again():
    for answer in (b"\0\5\0\2no\0", b"junk"):
        asked = []

        def broken(data, source, reply, asked=asked, answer=answer):
            if data[1] == 1:
                asked.append(data)
                reply(answer, port=5000)

        world = World(http=False, servers=[FIRST])
        world.net.serve_udp(FIRST[0], 69, broken)
        raises(BadTransfer, world.fetch)
        before = len(asked)
        raises(BadTransfer, world.fetch)
        assert len(asked) == 2 * before, "this file was the trouble, perhaps"


def test_a_boot_ends_at_its_deadline():
    servers = [("192.0.2.%d" % number, 69) for number in range(1, 9)]
    world = World(servers=servers, deadline=1000 + 20000)
    world.net.silent.update([host for host, _ in servers])
    for name in ("CTLFile.tlv", "ITLFile.tlv", "SEP.cnf.xml"):
        error = raises(NoServer, world.fetch, name)
        assert "not asked, the time for that is up" in str(error)
    assert world.clock.now == 1000 + 20000
    costs = world.fetcher.costs()
    assert sum([spent for _, spent in costs]) == 20000
    assert costs[0] == ("HTTP 192.0.2.1:6970", 3000) and costs[-1] == ("HTTP 192.0.2.7:6970", 2000)
    world.fetcher.begin(world.clock.now + 1000)
    assert world.fetcher.costs() == []


def test_at_most_eight_servers():
    servers = [("192.0.2.%d" % number, 69) for number in range(1, 30)]
    world = World(http=False, servers=[servers[0]] * 3 + servers)
    assert world.fetcher.servers == servers[:8] and SERVERS_LIMIT == 8
    assert len(raises(NoServer, world.fetch).failures) == 8


def test_servers_by_their_ipv6_address():
    world = World(servers=[("2001:db8::1", 69)])
    error = raises(NoServer, world.fetch)
    assert "[2001:db8::1]:6970" in str(error) and "[2001:db8::1]:69:" in str(error)


# ---------------------------------------------------------------------- when all fail


def test_no_server_is_known():
    world = World(servers=[])
    assert str(raises(NoServer, world.fetch)) == "a.xml: no TFTP server is known"


def test_all_servers_are_told():
    error = raises(NoServer, World(http=False).fetch)
    assert error.reason == "no-server" and len(error.failures) == 2
    assert str(error) == (
        "a.xml from 192.0.2.1:69: no answer; requests sent: 4; a.xml from 192.0.2.2:69: no answer; requests sent: 4"
    )


def test_the_most_telling_error_wins():
    kinds = [NotFound, NoServer, Stalled, BadTransfer, TooLarge]
    for least in range(len(kinds)):
        for order in (kinds[: least + 1], list(reversed(kinds[: least + 1]))):
            failures = [kind("host", NAME, kind.__name__) for kind in order]
            found = most_telling(failures, NAME)
            assert type(found) is kinds[least] and found.failures == failures
            assert found.cause == kinds[least].__name__ and str(found).count("a.xml from host") == least + 1
    world = World(servers=[FIRST])
    world.serve("http", files={NAME: bytes(1001)})
    assert raises(TooLarge, world.fetch).server == "192.0.2.1:6970", "what HTTP said is told where TFTP says nothing"


def test_an_invalid_name_is_asked_of_no_server():
    world = World()
    for name in ("", "a\0b", "a\nb", "x" * 256):
        assert raises(BadName, world.fetch, name).reason == "bad-name"
    assert world.net.sent == []


def test_errors_of_the_caller_come_through():
    class Full:
        def begin(self, size):
            raise OSError(28)

    async def broken(way, server):
        raise KeyError("a mistake in the caller")

    for way in ("http", "tftp"):
        world = World()
        world.serve(way)
        raises(KeyError, world.fetch, judge=broken)
        world.sink = Full()
        assert raises(OSError, world.fetch).args[0] == 28
