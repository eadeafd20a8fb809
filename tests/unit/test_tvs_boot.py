# SPDX-License-Identifier: MIT
"""The TVS client over a whole boot: what the client remembers of servers, their cost, and several questions at once."""

import asyncio
import errno

from agent.servers.tvs import client as tvs
from hal.fake import FakeClock, FakeNet, FakeRandom
from tests.helpers.agent.scripted_stream import CUT, Server
from tests.helpers.agent.tvs_world import DEVICE, FOREVER, GOOD, OTHER, World, query, response, says, sends, verify

SILENT = OSError(errno.ETIMEDOUT, "silence")


def booting(*servers, deadline=FOREVER, **more):
    world = World(*servers, **more)
    world.client.begin(deadline)
    return world


def test_a_server_that_failed_is_not_asked_again_in_the_same_boot():
    for failing, spent, words in (
        (Server(failure=SILENT), 4000, "no answer in time"),
        (Server(failure=OSError(errno.ECONNREFUSED, "refused")), 0, "connection refused"),
        (sends(99999), 4000, "no answer in time"),
        (Server(OTHER), 0, "shows another certificate"),
    ):
        world = booting(failing, says(ttl=0))
        assert world.ask_in_boot().server == "b:2445"
        assert world.clock.now == 1000 + spent
        world.client.set_servers([("a", 2445)])
        answer = world.ask_in_boot()
        assert world.net.tried == [] and world.clock.now == 1000 + spent
        assert "TVS a:2445: not asked again in this boot" in answer.text and words in answer.text
        assert answer.status == ("untrusted" if failing.certificate == OTHER else "unreachable")
        world.ask()
        assert world.net.tried == ["a"], "outside of the boot everybody is asked"
        world.client.begin(FOREVER)
        world.ask_in_boot()
        assert world.net.tried == ["a"], "and in the next boot"


def test_what_cost_no_time_is_no_reason_to_leave_a_server_alone():
    for steps in ((b"HTTP/1.1 400 Bad Request",), (CUT,), (b"\x57\1\4", CUT), (OSError(71, "alert"),)):
        world = booting(sends(*steps))
        assert world.ask_in_boot(verify()).status == "unreachable"
        world.ask_in_boot(verify())
        assert "a" in world.net.tried, steps


def test_a_failed_question_outside_of_the_boot_marks_no_server():
    """A program in a hurry must not take TVS away from the boot that is going on."""
    slow = Server(GOOD, lambda request: [1000, response(request)])
    world = booting(slow)
    assert world.ask(deadline=world.clock.now + 100).status == "unreachable"
    assert world.ask_in_boot().status == "valid"


def test_a_server_without_query_cert_is_known_for_one_boot():
    closing = Server(GOOD)
    world = booting(closing)
    assert world.ask_in_boot().status == "unsupported" and closing.connections == 2
    answer = world.ask_in_boot()
    assert answer.status == "unsupported" and "known not to answer" in answer.text and closing.connections == 2
    closing.reply = lambda request: [response(request, certificate=b"tomcat", roles=b"\7")]
    assert world.ask_in_boot(verify()).status == "valid", "it is asked about a certificate"
    closing.reply = lambda request: [response(request)]
    world.client.begin(FOREVER)
    assert world.ask_in_boot().status == "valid"


def test_a_cut_connection_disables_nothing():
    """An attacker who cuts connections does not make the phone believe that a server lacks QUERY_CERT."""
    for first, second in (([CUT], []), ([], [CUT]), ([CUT], [CUT]), ([OSError(errno.ECONNRESET, "x")], [])):
        played = [second, first]
        server = Server(GOOD, lambda request, played=played: played.pop() if played else [response(request)])
        world = booting(server)
        assert world.ask_in_boot().status == "unsupported", "no answer to this question"
        assert world.ask_in_boot().status == "valid", "and nothing is concluded from it"
        assert server.connections == 3


def test_a_new_itl_brings_back_a_server_that_was_not_believed():
    """One ITL brings the certificate of the new TVS, and its configuration's signer is asked about in the same boot."""
    world = booting(Server(OTHER, lambda request: [response(request)]), Server(failure=SILENT))
    assert world.ask_in_boot().status == "untrusted"
    world.client.set_certificates([OTHER])
    assert world.ask_in_boot().status == "valid"
    world.client.set_servers([("b", 2445)])
    world.client.set_certificates([GOOD])
    world.ask_in_boot()
    assert world.net.tried == [], "one that is silent stays so"


def test_nothing_lasts_longer_than_the_boot():
    world = booting(*[Server(failure=SILENT) for _ in range(8)], deadline=1000 + 10000)
    answer = world.ask_in_boot()
    assert answer.status == "unreachable" and world.clock.now == 1000 + 10000
    assert world.net.tried == ["a", "b", "c"]
    assert "TVS d:2445: not asked, the time for that is up" in answer.text
    assert world.client.costs() == [("TVS a:2445", 4000), ("TVS b:2445", 4000), ("TVS c:2445", 2000)]
    world.client.begin(FOREVER)
    assert world.client.costs() == []
    world = World(sends(99999))
    world.ask(deadline=1000 + 700)
    assert world.clock.now == 1000 + 700


def test_a_server_costs_two_timeouts_at_most_with_its_second_chance():
    server = Server(GOOD, lambda request: [3900, CUT], shaking=3900)
    world = booting(server)
    answer = world.ask_in_boot()
    assert world.net.tried == ["a", "a"] and world.clock.now == 1000 + 2 * 4000
    assert answer.status == "unreachable" and answer.text == "TVS a:2445: no answer in time"


def test_what_the_phone_is_goes_to_no_stranger():
    stranger = Server(OTHER, lambda request: [response(request)])
    world = booting(stranger, identity=(b"LSC", b"key"))
    assert world.ask_in_boot().status == "untrusted"
    assert stranger.heard == [] and stranger.identity is None


def test_names_that_would_steer_a_terminal_are_not_shown_so():
    world = World()
    world.client.set_servers([("evil\x1b[2J\u202e", 2445)])
    assert world.ask().text == "TVS evil?[2J?:2445: connection refused"


def test_servers_by_their_ipv6_address():
    world = World()
    world.net.servers[("2001:db8::1", 2445)] = says()
    world.client.set_servers([("2001:db8::1", 2445)])
    answer = world.ask()
    assert answer.server == "[2001:db8::1]:2445" and answer.text.startswith("TVS [2001:db8::1]:2445: vouches")


# ---------------------------------------------------------------------- several questions at once


class Turns:
    """The HAL's net of a FakeNet, where every wait lets the other tasks go on first."""

    def __init__(self, net):
        self._net = net

    async def tls(self, *args):
        await asyncio.sleep(0)
        return SlowStream(await self._net.tls(*args))


class SlowStream:
    def __init__(self, stream):
        self._stream = stream

    @property
    def orderly(self):
        return self._stream.orderly

    async def read_into(self, buffer, deadline):
        await asyncio.sleep(0)
        return await self._stream.read_into(buffer[:7], deadline)

    async def write(self, data, deadline):
        await asyncio.sleep(0)
        await self._stream.write(data, deadline)

    def close(self):
        self._stream.close()


def two_servers(answer):
    """A client of two TVS servers whose answers interleave; answer(host, request) -> bytes."""
    clock = FakeClock()
    net = FakeNet(clock)

    def serve(host):
        def server(peer, data):
            if data:
                peer.say(answer(host, data))

        net.serve_tcp(host, 2445, server, GOOD)

    serve("192.0.2.1")
    client = tvs.TvsClient(Turns(net), clock, FakeRandom(), DEVICE, 4000)
    client.set_servers([("192.0.2.1", 2445)])
    client.set_certificates([GOOD])
    client.begin(FOREVER)
    return client


def test_two_questions_at_once_get_their_own_answers():
    def answer(host, request):
        serial = request[-1:]
        return response(request, certificate=b"certificate of " + serial * 500)

    client = two_servers(answer)

    async def both():
        return await asyncio.gather(client.ask(query(serial=b"A")), client.ask(query(serial=b"B"), FOREVER))

    first, second = asyncio.run(both())
    assert first.certificate == b"certificate of " + b"A" * 500
    assert second.certificate == b"certificate of " + b"B" * 500


def test_an_answer_under_way_when_the_itl_changes_is_not_remembered():
    asked = []

    def answer(host, request):
        asked.append(request)
        return response(request)

    client = two_servers(answer)

    async def change():
        await asyncio.sleep(0)
        client.clear()

    async def both():
        return await asyncio.gather(client.ask(query()), change())

    assert asyncio.run(both())[0].status == "valid"
    asyncio.run(client.ask(query()))
    assert len(asked) == 2, "the new ITL's servers are asked"
