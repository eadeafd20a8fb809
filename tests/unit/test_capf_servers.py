# SPDX-License-Identifier: MIT
"""Which CAPF server is used, the cost of servers that fail, and that no deadline is passed."""

import errno

from agent.servers.capf import message
from agent.servers.capf.client import SERVERS_LIMIT
from agent.servers.capf.session import SESSION_LIMIT
from tests.helpers.agent.capf_world import LSC, World, end, greet, key_request, new_lsc, says
from tests.helpers.agent.scripted_stream import CUT, Server

HOSTS = [(host, 3804) for host in "abcdefg"]
SILENT = OSError(errno.ETIMEDOUT, "silence")


def good(world):
    """A server that the world's answers play."""
    return Server(b"CAPF rsa", world.reply, greeting=[greet()])


def test_the_first_server_that_answers_is_used():
    world = World(end(0))
    third, fourth = good(world), good(world)
    result = world.run_with({HOSTS[2]: third, HOSTS[3]: fourth, HOSTS[0]: Server(failure=SILENT)}, HOSTS[:4])
    assert result.outcome == "no-action" and result.server == HOSTS[2]
    assert result.text == (
        "CAPF a:3804: no answer in time; CAPF b:3804: connection refused; CAPF c:3804: has nothing for this phone to do"
    )
    assert world.net.tried == ["a", "b", "c"] and fourth.connections == 0
    assert world.client.costs() == [("CAPF a:3804", 5000)]


def test_a_server_that_says_nothing_is_passed_over():
    for steps, words in (
        ([999999], "says nothing: no answer in time"),
        ([], "closed the connection without an answer"),
        ([CUT], "closed the connection without an answer"),
        ([OSError(errno.ECONNRESET, "reset")], "says nothing: connection reset"),
    ):
        world = World(end(0))
        dumb = Server(b"CAPF rsa", greeting=steps)
        result = world.run_with({HOSTS[0]: dumb, HOSTS[1]: good(world)}, HOSTS[:2])
        assert result.outcome == "no-action" and result.server == HOSTS[1], result.text
        assert dumb.heard == [] and words in result.text
        result = World().run_with({HOSTS[0]: dumb}, HOSTS[:1])
        assert result.outcome == "unreachable" and words in result.text and result.server == HOSTS[0]


def test_a_server_that_has_begun_to_speak_is_the_one():
    """The phone stays with it whatever it sends: another server's answer would hide this server's fault."""
    for greeting, outcome in (
        (b"HTTP/1.1 400", "interrupted"),
        (greet()[:3], "interrupted"),
        (end(9), "unknown-device"),
    ):
        world = World(end(0))
        second = good(world)
        result = world.run_with({HOSTS[0]: Server(b"CAPF rsa", greeting=[greeting]), HOSTS[1]: second}, HOSTS[:2])
        assert result.outcome == outcome and result.server == HOSTS[0] and second.connections == 0


def test_a_server_that_is_not_believed_is_passed_over_and_shown_nothing():
    world = World(end(0))
    stranger = Server(b"stranger rsa", world.reply, greeting=[greet()])

    async def authenticate(certificate):
        world.accepts = certificate == b"CAPF rsa"
        return await World.authenticate(world, b"CAPF rsa")

    world.authenticate = authenticate
    result = world.run_with({HOSTS[0]: stranger, HOSTS[1]: good(world)}, HOSTS[:2])
    assert result.outcome == "no-action" and result.server == HOSTS[1] and result.decision.accepted
    assert result.text.startswith("CAPF a:3804: because; CAPF b:3804: ")
    assert stranger.heard == [] and stranger.identity is None, "our certificate is not shown either"


def test_an_unbelieved_server_tells_more_than_an_absent_one():
    for order in ((0, 1), (1, 0)):
        world = World(end(0))
        world.accepts = False
        servers = [HOSTS[index] for index in order]
        result = world.run_with({HOSTS[0]: good(world)}, servers)
        assert result.outcome == "untrusted" and result.server == HOSTS[0]
        assert result.decision.reason == "tvs-refused"
        assert "CAPF a:3804: because" in result.text and "CAPF b:3804: connection refused" in result.text


def test_at_most_five_servers():
    world = World(end(0))
    result = world.run_with({HOSTS[5]: good(world)}, HOSTS)
    assert result.outcome == "unreachable" and world.net.tried == list("abcde") and SERVERS_LIMIT == 5
    result = World().run_with({}, [])
    assert result.outcome == "unreachable" and result.text == "no CAPF server is known" and result.server is None


def test_no_deadline_of_the_caller_is_passed():
    world = World()
    result = world.run_with({server: Server(failure=SILENT) for server in HOSTS}, HOSTS, deadline=1000 + 12000)
    assert world.clock.now == 1000 + 12000 and result.outcome == "unreachable"
    assert world.net.tried == list("abc") and "CAPF d:3804: not asked, the time for that is up" in result.text
    world = World([99999])
    result = world.run_with({HOSTS[0]: good(world)}, HOSTS[:1], deadline=1000 + 3000)
    assert world.clock.now == 1000 + 3000 and result.outcome == "interrupted" and "no answer in time" in result.text


def test_a_session_has_a_deadline_of_its_own():
    """A server that says it is still at work, just before each message's deadline."""
    world = World([29000, says(message.IN_PROGRESS)] * 15)
    world.timeout = 30000
    result = world.run_with({HOSTS[0]: good(world)}, HOSTS[:1])
    assert result.outcome == "interrupted" and "no answer in time" in result.text
    assert world.clock.now == 1000 + SESSION_LIMIT


def test_the_phone_may_take_its_time_for_a_key():
    world = World(key_request(4096), [4000, new_lsc()], end(1))
    world.crypto.making = 2 * SESSION_LIMIT
    assert world.run_with({HOSTS[0]: world.server}, HOSTS[:1]).outcome == "installed"
    world = World(key_request(4096), [4000, new_lsc()], end(1))
    world.crypto.making = 2 * SESSION_LIMIT
    result = world.run_with({HOSTS[0]: world.server}, HOSTS[:1], deadline=1000 + SESSION_LIMIT)
    assert result.outcome == "interrupted" and world.stored == [], "but not more than the caller has"


def test_a_slow_judgement_is_not_the_servers_fault():
    """TVS took longer to vouch for the server than a handshake may take: by then the answer is known."""
    world = World(end(0))
    server = good(world)
    world.judging = 6000
    result = world.run_with({HOSTS[0]: server}, HOSTS[:1])
    assert result.outcome == "no-action" and server.connections == 2
    assert server.identity == (LSC, b"lsc key")
    world = World(end(0))
    server = Server(b"CAPF rsa", world.reply, greeting=[greet()], shaking=6000)
    result = world.run_with({HOSTS[0]: server}, HOSTS[:1])
    assert result.outcome == "unreachable" and server.connections == 2, "once more, and no more"
    assert world.clock.now == 1000 + 2 * 5000


def test_servers_by_their_ipv6_address():
    world = World(end(0))
    result = world.run_with({("2001:db8::1", 3804): good(world)}, [("2001:db8::1", 3804)])
    assert result.outcome == "no-action" and result.text.startswith("CAPF [2001:db8::1]:3804: ")
