# SPDX-License-Identifier: MIT
"""The service for other programs: what it answers, and that a program that misbehaves harms only itself."""

import json

from agent.boot.history import LIMIT as HISTORY
from agent.local.client import EVENTS_LIMIT, OUTPUT_PIECE
from agent.local.requests import LINE_LIMIT
from agent.local.service import CLIENTS_LIMIT, OWN_SLOTS, PROGRAM_LIMIT, USER_LIMIT
from agent.trust.decision import Decision
from tests.helpers.agent.both import vector
from tests.helpers.agent.service_place import judge, served

TIMEOUT = 240
APPLICATION = (7,)


async def connected(place, programs):
    """A client of each of these programs; MicroPython knows no await in a list's brackets."""
    clients = []
    for options in programs:
        clients.append(await place.connect(**options))
    return clients


# What it answers


def test_first_line_names_the_versions():
    async def check(place):
        client = await place.connect()
        first = client.lines()
        assert [sorted(line) for line in first] == [["phonetrust", "protocol"]] and first[0]["protocol"] == 1

    served(check)


def test_status_has_what_is_installed_and_the_id_comes_back():
    async def check(place):
        client = await place.connect()
        answer = await client.ask({"id": "seven", "do": "status"})
        assert answer["id"] == "seven" and answer["ok"] is True
        assert (
            answer["status"]["state"] == "trusted" and answer["status"]["installed"]["itl"]["filename"] == "ITLFile.tlv"
        )
        assert (await client.ask({"do": "status"}))["id"] is None

    served(check)


def test_judge_by_list_by_tvs_and_refused():
    async def check(place):
        client = await place.connect()
        assert (await client.ask(judge("tvs.cert.pem", "tvs")))["decision"]["reason"] == "listed-in-itl"
        unreachable = (await client.ask(judge("tomcat.cert.pem")))["decision"]
        assert (unreachable["outcome"], unreachable["reason"]) == ("refused", "tvs-unreachable")
        tvs = place.world.tvs({"tomcat.cert.pem": APPLICATION, "cucm.cert.pem": (2, 3)})
        place.phone.judge.configure([("127.0.0.1", 2445)])
        found = (await client.ask(judge("tomcat.cert.pem")))["decision"]
        assert (found["outcome"], found["reason"], found["kind"]) == ("accepted", "vouched-by-tvs", "application")
        assert (await client.ask(judge("other.cert.pem")))["decision"]["reason"] == "tvs-refused"
        asked = len(tvs.asked)
        assert (await client.ask(judge(b"no certificate")))["decision"]["reason"] == "malformed"
        assert len(tvs.asked) == asked, "TVS was asked about what is no certificate"

    served(check)


def test_requests_do_not_push_the_phones_own_decisions_out_of_its_status():
    async def check(place):
        before = [decision.reason for decision in place.phone.history.decisions]
        client = await place.connect()
        for _ in range(40):
            await client.ask(judge("other.cert.pem", "tvs"))
        found = (await client.ask({"id": 1, "do": "status"}))["status"]
        assert [decision["reason"] for decision in found["decisions"]] == before
        assert len(found["requests"]) == HISTORY and found["requests"][-1]["reason"] == "tvs-untrusted"

    served(check)


def test_wrong_requests_get_an_error_and_the_connection_stays():
    async def check(place):
        client = await place.connect()
        for request, words in (
            ({"id": 1, "do": "dance"}, "'dance' is not one of: certificate, fetch, judge, postpone, sign, status"),
            ({"id": 1, "do": "judge", "purpose": "sip", "certificate": "AA=="}, "purpose must be one of"),
            ({"id": 1, "do": "judge", "purpose": ["tvs"], "certificate": "AA=="}, "purpose must be one of"),
            ({"id": 1, "do": "judge", "purpose": "tvs"}, "certificate must be"),
            ({"id": 1, "do": "judge", "purpose": "tvs", "certificate": ""}, "certificate must be"),
            ({"id": 1, "do": "judge", "purpose": "tvs", "certificate": 7}, "certificate must be"),
            ({"id": 1, "do": "judge", "purpose": "tvs", "certificate": "A"}, "certificate must be"),
            ({"id": 1, "do": "fetch"}, "name must be"),
            ({"id": 1, "do": "fetch", "name": ""}, "name must be"),
            ({"id": 1, "do": "fetch", "name": "a\nb"}, "name must be"),
            ({"id": 1, "do": "fetch", "name": "a\x9bb"}, "name must be"),
            ({"id": 1, "do": "fetch", "name": "a" * 251}, "name must be"),
        ):
            answer = await client.ask(request)
            assert answer["ok"] is False and words in answer["error"], (request, answer)
        assert await client.works()

    served(check)


def test_a_status_of_many_pieces_is_given():
    async def check(place):
        client = await place.connect()
        for _ in range(HISTORY):
            place.phone.history.record(Decision(False, "bad-signature", "itl", "x" * 4000 + "."))
        answer = await client.ask({"id": 1, "do": "status"})
        assert answer["ok"] and len(json.dumps(answer)) > 10 * OUTPUT_PIECE
        assert await client.works()

    served(check)


def test_requests_do_not_end_the_asking_for_absent_servers():
    async def check(place):
        world = place.world
        world.hal.net.silent.add("192.0.2.1")
        world.boot()
        world.turn()  # from here on the pause counts
        client = await place.connect()
        await client.ask(judge(b"?", "tvs"))
        world.hal.net.silent.clear()
        world.hal.clock.now += 10000
        world.turn()
        assert world.reasons()[-2] == "itl unchanged"

    served(check)


# Changes


def test_subscribers_hear_decisions_and_changes_of_trust():
    async def check(place):
        client, other = await place.connect(), await place.connect()
        answer = await client.ask({"id": 1, "do": "subscribe"})
        assert answer["ok"] and answer["trust"]["state"] == "trusted" and answer["trust"]["installed"]["ctl"] is None
        await place.settle()
        assert client.lines() == []
        place.world.files["CTLFile.tlv"] = vector("ctl-mixed.tlv")
        place.phone.work.restart()
        place.world.turn()
        await place.settle()
        events = client.lines()
        decided = [event["decision"]["kind"] for event in events if event["event"] == "decision"]
        assert decided[:2] == ["ctl", "itl"]
        changes = [event["trust"] for event in events if event["event"] == "trust"]
        assert len(changes) == 1 and changes[0]["mode"] == "mixed" and changes[0]["installed"]["ctl"]["sha256"]
        place.phone.work.restart()
        place.world.turn()  # the same lists: nothing has changed
        await place.settle()
        assert [event["event"] for event in client.lines() if event["event"] != "decision"] == []
        place.world.erase("all")
        await place.settle()
        changed = client.lines()[-1]
        assert changed["event"] == "trust" and changed["trust"]["state"] == "no-trust"
        assert [line for line in other.lines() if "event" in line] == []

    served(check)


def test_after_unsubscribe_no_events_come_and_a_later_subscriber_gets_the_present_state():
    async def check(place):
        client = await place.connect()
        await client.ask({"id": 1, "do": "subscribe"})
        assert (await client.ask({"id": 2, "do": "unsubscribe"}))["ok"]
        place.world.erase("all")
        await place.settle()
        assert client.lines() == []
        assert (await client.ask({"id": 3, "do": "subscribe"}))["trust"]["state"] == "no-trust"
        await place.settle()
        assert client.lines() == []

    served(check)


# Programs that misbehave


def test_a_huge_line_ends_that_client_alone():
    async def check(place):
        good = await place.connect(process=1)
        for data in (b"x" * (LINE_LIMIT + 1), b"x" * 200000, b'{"do": "' + b"s" * LINE_LIMIT + b'"}\n'):
            bad = await place.connect(process=2)
            bad.lines()
            bad.say(data)
            await place.settle()
            assert bad.hung_up and "at most %d bytes" % LINE_LIMIT in bad.lines()[0]["error"]
        assert await good.works()

    served(check)


def test_a_request_of_the_largest_size_is_answered():
    async def check(place):
        client = await place.connect()
        request = b'{"id": 1, "do": "status", "x": "'
        client.lines()
        client.say(request + b"x" * (LINE_LIMIT - len(request) - 2) + b'"}\n')
        await place.settle()
        assert client.lines()[0]["ok"] is True and not client.hung_up

    served(check)


def test_a_request_byte_by_byte_and_several_at_once():
    async def check(place):
        client = await place.connect()
        client.lines()
        for byte in b'{"id": 5, "do": "status"}\n':
            client.say(bytes([byte]))
            await place.settle()
        assert [line["id"] for line in client.lines()] == [5]
        client.say(b"".join([b'{"id": %d, "do": "unsubscribe"}\n' % number for number in range(50)]))
        await place.settle()
        assert [line["id"] for line in client.lines()] == list(range(50))

    served(check)


def test_a_program_that_never_reads_is_closed_and_the_others_go_on():
    async def check(place):
        good, deaf = await place.connect(process=1), await place.connect(process=2, room=1000)
        deaf.say(b'{"id": 1, "do": "status"}\n' * 400)
        await place.settle()
        assert deaf.hung_up and await good.works()

    served(check)


def test_a_subscriber_whose_events_wait_is_closed():
    async def check(place):
        deaf, good = await place.connect(process=2), await place.connect(process=1)
        await deaf.ask({"id": 1, "do": "subscribe"})
        size = 0
        while size <= EVENTS_LIMIT:  # all at once, so that nothing is written in between
            place.phone.report(Decision(False, "malformed", "tvs", "x" * 1000))
            size += 1000
        await place.settle()
        assert deaf.hung_up and await good.works()

    served(check)


def test_a_program_that_goes_away_in_the_middle_of_a_request_is_forgotten():
    async def check(place):
        good = await place.connect(process=1)
        for data in (b"", b'{"do": "sta', b'{"id": 1, "do": "status"}\n', b'{"id": 1, "do": "status"}\n{"id":'):
            gone = await place.connect(process=2)
            gone.say(data)
            gone.end.close()
            await place.settle()
            assert gone.hung_up
        assert await good.works() and len(place.service._clients) == 1

    served(check)


def test_a_hundred_connections_of_one_program_leave_room_for_others():
    async def check(place):
        greedy = await connected(place, [{"process": 2}] * 100)
        refused = [client for client in greedy if client.hung_up]
        assert len(refused) == 100 - PROGRAM_LIMIT
        told = refused[0].lines()[0]
        assert told["reason"] == "busy" and "one program may have %d connections" % PROGRAM_LIMIT in told["error"]
        good = await place.connect(process=1)
        assert await good.works() and await greedy[0].works()
        greedy[0].end.close()
        await place.settle()
        assert await (await place.connect(process=2)).works(), "a connection that ended counts no more"

    served(check)


def test_forks_of_one_user_leave_room_for_other_users_and_for_the_phones_own():
    async def check(place):
        forks = await connected(place, [{"process": number, "user": 1000} for number in range(20)])
        assert [client.hung_up for client in forks] == [False] * USER_LIMIT + [True] * (20 - USER_LIMIT)
        told = forks[-1].lines()[0]
        assert told["reason"] == "busy" and "one user may have %d connections" % USER_LIMIT in told["error"]
        others = await connected(place, [{"process": 100 + number, "user": 1001} for number in range(20)])
        room = CLIENTS_LIMIT - OWN_SLOTS - USER_LIMIT
        assert [client.hung_up for client in others] == [False] * room + [True] * (20 - room)
        told = others[-1].lines()[0]
        assert (
            told["reason"] == "busy" and "there are %d clients already" % (CLIENTS_LIMIT - OWN_SLOTS) in told["error"]
        )
        for client in await connected(place, [{"process": 200 + number, "user": 7} for number in range(OWN_SLOTS)]):
            assert await client.works()
        last = await place.connect(process=300, user=0)
        told = last.lines()[0]
        assert last.hung_up and told["reason"] == "busy"
        assert "there are %d clients already" % CLIENTS_LIMIT in told["error"]

    served(check, user=7)


def test_a_listener_that_fails_once_goes_on():
    async def check(place):
        accept = place.listener.accept

        async def failing():
            place.listener.accept = accept
            raise OSError(103, "aborted")

        await place.connect()
        place.listener.accept = failing
        place.listener.connect()
        client = await place.connect(process=2)
        assert await client.works()

    served(check)


def test_the_end_of_the_service_ends_every_client():
    async def check(place):
        client = await place.connect()
        place.task.cancel()
        await place.settle()
        assert client.hung_up and place.listener.closed

    served(check)


def test_a_fault_of_ours_ends_that_client_alone_and_is_logged():
    async def check(place):
        good, bad = await place.connect(process=1), await place.connect(process=2)

        async def fault(purpose, certificate):
            raise KeyError("purpose")

        place.service._programs.judge = fault
        bad.say(judge("tvs.cert.pem"))
        await place.settle()
        assert bad.hung_up and await good.works()
        assert "ended in a fault" in place.world.hal.console.output

    served(check)


def test_a_program_that_goes_away_ends_what_is_worked_on_for_it():
    async def check(place):
        import asyncio

        ended = []

        async def slow(name, owner):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append(name)
                raise

        place.service._programs.fetch = slow
        client, good = await place.connect(process=1), await place.connect(process=2)
        client.say({"id": 1, "do": "fetch", "name": "load.bin"})
        await place.settle()
        assert await good.works(), "others are answered meanwhile"
        client.end.close()
        await place.settle()
        assert ended == ["load.bin"] and client.hung_up
        assert place.service._arriving == 0

    served(check)
