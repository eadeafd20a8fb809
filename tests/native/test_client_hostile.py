# SPDX-License-Identifier: MIT
"""The C client of the trust service against false and broken agents: plain, under valgrind and under sanitizers."""

import contextlib
import socket
import subprocess
import time

import pytest

from tests.helpers.native.client_agent import (
    CLOSED,
    CONNECT,
    HELLO,
    NOTHING,
    PROTOCOL,
    TIMEOUT,
    decided,
    judged,
    parse,
    says,
)

BAD_ANSWERS = [
    b"\n",
    b"garbage\n",
    b"{}\n",
    b"[]\n",
    b"\0\0\0\n",
    b"\xff\xfe{\n",
    b'{"id": 1\n',
    b'{"id": 1,\n',
    b'{"id"\n',
    b'{"id": "1", "ok": true, "decision": {"outcome": "accepted", "reason": "", "kind": "", "text": ""}}\n',
    b'{"id": 2, "ok": true, "decision": {"outcome": "accepted", "reason": "", "kind": "", "text": ""}}\n',
    b'{"id": 1, "ok": true}\n',
    b'{"id": 1, "ok": true, "decision": null}\n',
    b'{"id": 1, "ok": true, "decision": "accepted"}\n',
    b'{"id": 1, "ok": true, "decision": {"outcome": "accepted"}}\n',
    b'{"id": 1, "ok": true, "decision": {"outcome": "accepted", "reason": 1, "kind": "", "text": ""}}\n',
    b'{"id": 1, "ok": true, "decision": {"outcome": "accepted", "reason": "\\u12", "kind": "", "text": ""}}\n',
    b'{"id": 1, "ok": true, "decision": {"outcome": "accepted", "reason": "\\x", "kind": "", "text": ""}}\n',
    b'{"id": 1, "ok": true, "decision": {"outcome": "accepted", "reason": "r", "kind": "k", "text": "no end\n',
    b'{"id": 1, "x": ' + b"[" * 15000 + b"\n",
]


@pytest.mark.parametrize("answer", BAD_ANSWERS, ids=range(len(BAD_ANSWERS)))
def test_an_invalid_answer_is_never_a_yes(run, answer):
    results = run(says(answer), "judge=application:1", "judge=application:1")
    assert results[1] == ("judge", PROTOCOL, NOTHING)
    assert results[2] == ("judge", CLOSED, NOTHING), "the connection stayed"


@pytest.mark.parametrize(
    "outcome", ['"refused"', '"accepted "', "true", "1", '["accepted"]', '"acce\\u0070ted"', "null"]
)
def test_only_one_word_is_a_yes(run, outcome):
    raw = '{"id": 1, "ok": true, "decision": {"outcome": OUTCOME, "reason": "", "kind": "", "text": ""}}\n'
    assert judged(run(says(raw.replace("OUTCOME", outcome).encode()), "judge=application:1"))[1]["accepted"] == 0


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b'{"phonetrust": "9.0.0", "protocol": 2}\n', PROTOCOL),
        (b'{"phonetrust": "9.0.0", "protocol": 11}\n', PROTOCOL),
        (b'{"phonetrust": "9.0.0", "protocol": "1"}\n', PROTOCOL),
        (b'{"ok": false, "error": "there are 16 clients already"}\n', PROTOCOL),
        (b"SSH-2.0-OpenSSH\n", PROTOCOL),
        (b"x" * 100000 + b"\n", PROTOCOL),
        (b"", CLOSED),
        (b'{"protocol": 1}', CLOSED),
    ],
)
def test_another_version_or_no_agent_at_all(run, greeting, error):
    results = run(lambda agent, connection: connection.sendall(greeting), "judge=application:1")
    assert results[0][1] == error and results[1] == ("judge", CLOSED, NOTHING)


def test_an_agent_that_goes_away(run):
    def leaves(agent, connection):
        connection.sendall(HELLO)
        agent.request()
        connection.sendall(b'{"id": 1, "ok": tr')

    results = run(
        [leaves, says(decided())], "judge=application:1", "judge=application:1", "open", "judge=application:1"
    )
    assert [result for _, result, _ in results] == [0, CLOSED, CLOSED, 0, 0]


def silent(agent, connection):
    agent.wait()


def half_silent(agent, connection):
    connection.sendall(HELLO)
    agent.request()
    connection.sendall(b'{"id": 1, "ok": true')
    agent.wait()


def endless(agent, connection):
    connection.sendall(HELLO)
    agent.request()
    while True:
        connection.sendall(b"x" * 100)
        time.sleep(0.01)


@pytest.mark.parametrize("script", [silent, half_silent, endless])
def test_time_is_up(run, script):
    start = time.monotonic()
    results = run(script, "judge=application:1", "judge=application:1", timeout=300)
    first = [result for _, result, _ in results]
    assert first == ([TIMEOUT, CLOSED, CLOSED] if script is silent else [0, TIMEOUT, CLOSED])
    assert time.monotonic() - start < 20


def test_no_listener_or_a_path_that_is_too_long(client_build, tmp_path):
    for path in (tmp_path / "none", tmp_path / ("x" * 120), tmp_path):
        done = subprocess.run([client_build / "scripted", path, "100", "judge=tvs:1"], capture_output=True, text=True)
        assert [parse(line)[1] for line in done.stdout.splitlines()] == [CONNECT, CLOSED]


def test_an_agent_whose_queue_is_full_costs_one_timeout(client_build, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as waiting:
        listener.bind(str(tmp_path / "full"))
        listener.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(str(tmp_path / "full"))
        done = subprocess.run(
            [client_build / "scripted", tmp_path / "full", "300"], capture_output=True, text=True, timeout=20
        )
    assert done.stdout == f"open {TIMEOUT}\n"
