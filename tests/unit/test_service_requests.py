# SPDX-License-Identifier: MIT
"""Requests of other programs that are none: what the service answers, and that nobody else notices."""

import json

from agent.formats.tlv import is_utf8
from agent.local.requests import is_plain
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
