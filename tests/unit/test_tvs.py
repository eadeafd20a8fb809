# SPDX-License-Identifier: MIT
"""The TVS client: one question, its answer, and the answers that are remembered (test_tvs_boot.py: of a whole boot)."""

import errno

from agent.servers.messages import element
from agent.servers.tvs import cache, message
from agent.servers.tvs import client as tvs
from tests.helpers.agent.scripted_stream import CUT, Server
from tests.helpers.agent.tvs_world import DEVICE, GOOD, OTHER, World, query, response, says, sends, verify


def test_query_is_answered():
    server = says()
    world = World(server)
    answer = world.ask()
    assert answer.status == "valid" and answer.certificate == b"signer"
    assert answer.roles == (0, 3) and answer.ttl == 60 and answer.server == "a:2445"
    assert answer.text == "TVS a:2445: vouches for it as SAST, TFTP"
    assert server.heard == [message.encode_query(0x3E9, DEVICE, "CN=signer", "CN=ca", b"\x05")]
    assert server.open == 0
    assert world.lines == [answer.text]


def test_verification_is_answered_with_and_without_the_certificate():
    for certificate in (b"tomcat", None):
        server = says(certificate=certificate, roles=b"\7")
        answer = World(server).ask(verify())
        assert answer.status == "valid" and answer.certificate == b"tomcat" and answer.roles == (7,)
        assert server.heard == [message.encode_verification(0x3E9, DEVICE, b"tomcat")]


def test_no_ends_the_asking():
    world = World(says(status=1), says())
    answer = world.ask()
    assert answer.status == "refused" and answer.server == "a:2445" and answer.certificate is None
    assert answer.text == "TVS a:2445: does not vouch for it (status 1)"
    assert world.net.tried == ["a"]
    assert World(says(status=9)).ask().status == "refused"


def test_silent_servers_cost_one_timeout_each():
    silent = Server(failure=OSError(errno.ETIMEDOUT, "silence"))
    world = World(silent, None, says())
    answer = world.ask()
    assert answer.status == "valid" and answer.server == "c:2445"
    assert answer.text == (
        "TVS a:2445: no answer in time; TVS b:2445: connection refused; TVS c:2445: vouches for it as SAST, TFTP"
    )
    assert world.clock.now == 1000 + 4000
    world = World(sends(99999), says())
    assert world.ask().server == "b:2445"
    assert world.clock.now == 1000 + 4000


def test_the_server_that_answered_last_is_first():
    world = World(None, says(ttl=0), says(ttl=0))
    world.ask()
    assert world.net.tried == ["a", "b"]
    world.ask()
    assert world.net.tried == ["b"]
    world.net.servers[("b", 2445)].failure = OSError(errno.ECONNREFUSED, "gone")
    assert world.ask().server == "c:2445"
    assert world.net.tried == ["b", "a", "c"]
    world.client.set_servers([("a", 2445), ("b", 2445)])
    assert world.ask().status == "unreachable"
    assert world.net.tried == ["a", "b"]


def test_a_no_makes_a_server_first_too():
    world = World(None, says(status=1))
    world.ask()
    world.ask()
    assert world.net.tried == ["b"]


def test_wrong_certificate_is_told_nothing():
    wrong = Server(OTHER, lambda request: [response(request)])
    world = World(wrong)
    answer = world.ask()
    assert answer.status == "untrusted" and answer.certificate is None and answer.roles == ()
    assert "shows another certificate than the 2 of role TVS" in answer.text
    assert wrong.heard == [] and wrong.open == 0
    assert World(wrong, says()).ask().status == "valid"
    assert World(wrong, says(status=1)).ask().status == "refused"
    assert World(wrong, None).ask().status == "untrusted"
    assert World(None, wrong).ask().status == "untrusted"
    assert World(Server(None, lambda request: [response(request)])).ask().status == "untrusted"


def test_nothing_is_connected_without_certificates_or_servers():
    world = World(says())
    world.client.set_certificates([])
    assert world.ask().status == "untrusted" and world.net.tried == []
    world = World()
    answer = world.ask()
    assert answer.status == "unreachable" and answer.text == "no TVS server is known"


def test_closing_on_a_query():
    for steps in ((), (CUT,), (OSError(errno.ECONNRESET, "reset"),), (OSError(32, "broken pipe"),)):
        closing = sends(*steps)
        world = World(closing)
        answer = world.ask()
        assert answer.status == "unsupported", steps
        assert "closed the connection twice on a request for a certificate" in answer.text
        assert closing.connections == 2 and closing.open == 0
        assert closing.heard[0] == closing.heard[1], "the same request"


def test_one_cut_connection_costs_nothing():
    for question, certificate in ((query(), b"signer"), (verify(), None)):
        for steps in ([CUT], [], [OSError(errno.ECONNRESET, "reset")], [b"\x57\1\4", CUT]):
            left = [steps]

            def reply(request, left=left, certificate=certificate):
                return left.pop() if left else [response(request, certificate=certificate)]

            server = Server(GOOD, reply)
            assert World(server).ask(question).status == "valid", (question.request, steps)
            assert server.connections == 2 and server.open == 0


def test_a_server_that_begins_an_answer_knows_the_request():
    world = World(sends(b"\x57\1\4", CUT))
    answer = world.ask()
    assert answer.status == "unreachable" and "closed the connection twice, within its answer" in answer.text


def test_other_servers_are_queried_after_one_that_closes():
    assert World(Server(GOOD), says()).ask().server == "b:2445"
    assert World(Server(GOOD), says(status=1)).ask().status == "refused"
    assert World(Server(GOOD), None, Server(OTHER)).ask().status == "unsupported"
    assert World(Server(OTHER), Server(GOOD)).ask().status == "unsupported"


def test_closing_on_a_verification_is_no_answer():
    answer = World(Server(GOOD)).ask(verify())
    assert answer.status == "unreachable"
    assert answer.text == "TVS a:2445: closed the connection twice without an answer"


def test_an_answer_may_repeat_the_question_in_any_form():
    def echo(request):
        whole = response(request)
        odd = element(1, b"CP-8861") + element(4, b"CN=ca") + element(5, b"") + element(4, b"")
        return [whole[:8] + (len(whole) - 10 + len(odd)).to_bytes(2, "big") + odd + whole[10:]]

    answer = World(Server(GOOD, echo)).ask()
    assert answer.status == "valid" and answer.certificate == b"signer" and answer.roles == (0, 3), answer.text


def test_unusable_answers():
    request = message.encode_query(0x3E9, DEVICE, "CN=signer", "CN=ca", b"\x05")
    whole = response(request)
    for server, words in (
        (says(session=b"\0\0\3\xea"), "session number 1002, asked with 1001"),
        (says(command=2), "command 2, 4 expected"),
        (says(command=3), "command 3, 4 expected"),
        (says(certificate=None), "it says found, without a certificate"),
        (sends(b"HTTP/1.1 400 Bad Request\r\n"), "first byte 0x48, 0x57 expected"),
        (sends(whole[:8] + b"\xff\xff"), "announces a message of 65535 bytes, 16374 at most are read"),
        (sends(whole[:5]), "closed the connection twice, within its answer"),
        (sends(whole[:-1]), "closed the connection twice, within its answer"),
        (sends(whole[:12], 99999), "no answer in time"),
        (sends(b"\x57\1\4\0\0\0\3\xe9\0\0"), "no STATUS in it"),
        (sends(whole[:10] + b"\7\0\1\0" * 9 + whole[46:]), "appears twice"),
        (sends(OSError(71, "alert")), "TLS failed: alert"),
        (Server(failure=OSError(errno.ENOENT, "name")), "its name is not known"),
        (Server(failure=OSError(5, "odd")), "network error: odd"),
        (Server(failure=ValueError("bad key")), "own certificate cannot be shown: bad key"),
    ):
        answer = World(server).ask()
        assert answer.status == "unreachable", answer.text
        assert words in answer.text, answer.text
        assert answer.certificate is None and server.open == 0
        assert World(server, says()).ask().server == "b:2445"


def test_verification_about_another_certificate():
    answer = World(says(certificate=b"other")).ask(verify())
    assert answer.status == "unreachable" and "it is about another certificate" in answer.text


def test_dripping_is_ended():
    request = message.encode_query(0x3E9, DEVICE, "CN=signer", "CN=ca", b"\x05")
    whole = response(request, certificate=b"c" * 2000)
    steps = []
    for i in range(len(whole)):
        steps += [900, whole[i : i + 1]]
    world = World(sends(*steps))
    answer = world.ask()
    assert answer.status == "unreachable"
    assert "no answer in time" in answer.text
    assert world.clock.now - 1000 == 4000, "one deadline for the whole answer"


def test_slow_but_whole_is_taken():
    request = message.encode_query(0x3E9, DEVICE, "CN=signer", "CN=ca", b"\x05")
    whole = response(request)
    assert World(sends(whole[:3], 1000, whole[3:11], 1000, whole[11:], b"more")).ask().status == "valid"


def test_cache_lasts_for_the_ttl():
    server = says(ttl=60)
    world = World(server)
    world.ask()
    world.clock.now += 59999
    answer = world.ask()
    assert answer.status == "valid" and answer.roles == (0, 3) and answer.certificate == b"signer"
    assert answer.text == "TVS a:2445 vouched for it, which holds for another 0 s"
    assert server.connections == 1
    world.clock.now += 1
    world.ask()
    assert server.connections == 2


def test_cache_is_keyed_by_name_certificate_and_role():
    server = says(roles=b"\0")
    world = World(server)
    world.ask()
    world.ask(query(issuer="CN=other"))
    assert server.connections == 2
    world.ask(query(serial=b"\x06"))
    assert server.connections == 3
    world.ask(query(roles=(2, 3)))
    assert server.connections == 4
    world.ask(query(roles=(3, 0)))
    assert server.connections == 4
    assert world.ask(verify(b"signer", roles=(0,))).status == "valid"
    assert server.connections == 4
    world.ask(verify(b"tomcat", roles=(0,)))
    assert server.connections == 5


def test_what_is_not_cached():
    for server in (says(ttl=0), says(status=1)):
        world = World(server)
        world.ask()
        world.ask()
        assert server.connections == 2


def test_what_empties_the_cache():
    for change in (
        lambda client: client.clear(),
        lambda client: client.set_certificates([GOOD]),
        lambda client: client.forget(query()),
    ):
        server = says()
        world = World(server)
        world.ask()
        world.client.set_certificates([OTHER + b"2", GOOD])
        world.ask()
        assert server.connections == 1
        change(world.client)
        world.ask()
        assert server.connections == 2


def test_an_absurd_ttl_is_capped():
    server = says(ttl=0xFFFFFFFF)
    world = World(server)
    assert world.ask().ttl == 0xFFFFFFFF
    world.clock.now += cache.TTL_LIMIT * 1000 - 1
    world.ask()
    assert server.connections == 1
    world.clock.now += 1
    world.ask()
    assert server.connections == 2


def test_the_cache_is_bounded():
    server = Server(GOOD, lambda request: [response(request, ttl=50 if server.connections == 3 else 100)])
    world = World(server)
    for number in range(cache.CACHE_LIMIT + 1):
        world.ask(query(serial=bytes((number + 1,))))
    before = server.connections
    world.ask(query(serial=b"\x01"))
    world.ask(query(serial=bytes((cache.CACHE_LIMIT + 1,))))
    assert server.connections == before
    world.ask(query(serial=b"\x03"))
    assert server.connections == before + 1


def test_a_question_that_cannot_be_put():
    server = says()
    answer = World(server).ask(query(serial=b""))
    assert answer.status == "refused" and "serial number is empty" in answer.text
    assert server.connections == 0


def test_servers_are_bounded_and_not_repeated():
    world = World(says())
    hosts = [("x", 2445)] * 3 + [(str(number), 2445) for number in range(40)]
    world.client.set_servers(hosts)
    world.ask()
    assert len(world.net.tried) == tvs.SERVERS_LIMIT
    assert world.net.tried[:3] == ["x", "0", "1"]


def test_the_identity_is_handed_on():
    server = says()
    World(server, identity=(b"LSC", b"key")).ask()
    assert server.identity == (b"LSC", b"key")
