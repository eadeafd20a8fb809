# SPDX-License-Identifier: MIT
"""Requests of other programs that are invalid, or too many: what the service answers, and that other programs notice nothing."""

import asyncio
import json

from agent.formats.tlv import is_utf8
from agent.local.requests import is_plain
from agent.local.service import FILES_LIMIT
from agent.trust.decision import Decision
from tests.helpers.agent.service_place import served

TIMEOUT = 240


def test_what_is_no_request_ends_that_client_alone():
    async def check(place):
        good = await place.connect(process=1)
        for data in (
            b"garbage\n",
            b"\n",
            b"\xff\xfe\x00\n",
            b"[1]\n",
            b"1\n",
            b'{"do": 1}\n',
            b'{"do": "status", "id": []}\n',
            b'{"do": "status", "id": 1.5}\n',
            b'{"do": "status", "id": 99999999999999999999}\n',
            b'{"do": "status", "id": "\\u001b[2J"}\n',
            b'{"do": "status", "id": "\\ud800"}\n',
            b"[" * 16000 + b"\n",
            b'{"do":' * 2000 + b"\n",
            b"\0" * 100 + b"\n",
        ):
            bad = await place.connect(process=2)
            bad.lines()
            bad.say(data)
            await place.settle()
            said = bad.lines()
            assert bad.hung_up and len(said) == 1 and said[0]["ok"] is False and said[0]["error"], data[:20]
        assert await good.works()

    served(check)


def test_answers_are_utf8_whatever_halves_of_characters_a_request_has():
    async def check(place):
        client = await place.connect()
        client.lines()
        for request in (
            b'{"do": "\\ud800 \\u001b"}\n',
            b'{"do": "fetch", "name": "\\ud800"}\n',
            b'{"do": "judge", "certificate": "\\udfff", "purpose": "\\ud800"}\n',
            b'{"do": "certificate", "key": "\\ud800"}\n',
            b'{"do": "sign", "key": "\\ud800", "scheme": "\\ud800", "digest": "\\ud800", "data": "\\ud800"}\n',
        ):
            client.say(request)
            await place.settle()
            data = client.end.receive()
            answer = json.loads(data)
            assert answer["ok"] is False and is_utf8(data), request
            assert is_plain(answer["error"]) and "codec" not in answer["error"], answer
        assert await client.works()

    served(check)


def test_a_file_too_many_is_told_as_busy_and_the_client_goes_on():
    async def check(place):
        done = asyncio.Event()

        async def slow(name, owner):
            await done.wait()
            return Decision(False, "not-found", name, "gone"), None

        place.service._programs.fetch = slow
        clients = []
        for number in range(FILES_LIMIT + 1):
            client = await place.connect(process=number)
            clients.append(client)
            client.say({"id": 1, "do": "fetch", "name": "load.bin"})
            await place.settle()
        answer = clients[-1].lines()[-1]
        assert answer["ok"] is False and answer["reason"] == "busy" and answer["id"] == 1, answer
        assert "%d files are arriving" % FILES_LIMIT in answer["error"]
        assert await clients[-1].works()
        done.set()
        await place.settle()
        assert [client.lines()[-1]["decision"]["reason"] for client in clients[:-1]] == ["not-found"] * FILES_LIMIT

    served(check)
