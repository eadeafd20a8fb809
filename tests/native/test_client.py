# SPDX-License-Identifier: MIT
"""The C client of the trust service: requests, answers and exported names; plain, under valgrind and under sanitizers."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

from tests.helpers.native.client_agent import (
    CLIENT,
    CLOSED,
    HELLO,
    NOTHING,
    PROTOCOL,
    REFUSED,
    SPACE,
    TIMEOUT,
    decided,
    judged,
    says,
)
from tests.helpers.native.library import ROOT

FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "5")


# What it asks and understands


def test_judge(run):
    result, found = judged(run(says(decided()), "judge=application:5"))
    assert result == 0 and found == {
        "accepted": 1,
        "reason": "listed-in-itl",
        "kind": "application",
        "text": "It is listed.",
    }
    assert run.agent.heard == [{"id": 1, "do": "judge", "purpose": "application", "certificate": "eHh4eHg="}]


def test_judge_refused(run):
    result, found = judged(run(says(decided(outcome="refused", reason="tvs-refused")), "judge=tvs:1"))
    assert result == 0 and found["accepted"] == 0 and found["reason"] == "tvs-refused"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 8191, 8192])
def test_certificates_of_all_sizes_arrive(run, size):
    import base64

    assert judged(run(says(decided()), f"judge=application:{size}"))[0] == 0
    assert base64.b64decode(run.agent.heard[0]["certificate"], validate=True) == b"x" * size


def test_a_certificate_or_name_over_the_limit_is_not_sent(run):
    results = run(
        says(), "judge=application:8193", f"judge={'p' * 70}:1", f"fetch={'n' * 513}:100", "fetch=a:0", "status=0"
    )
    assert [result for _, result, _ in results[1:]] == [SPACE] * 5
    assert [values["accepted"] for name, _, values in results[1:5]] == [0] * 4
    assert run.agent.heard == []


def test_fetch(run):
    answer = {**decided(kind="a.xml.sgn"), "path": "/run/phone/files/1"}
    name = 'New_Zealand/"g3\\tones".xml'
    result, found = judged(run(says(answer), f"fetch={name}:100"))
    assert result == 0 and found["accepted"] == 1 and found["path"] == "/run/phone/files/1"
    assert run.agent.heard == [{"id": 1, "do": "fetch", "name": name}]


def test_fetch_refused_gives_no_path(run):
    answer = {**decided(outcome="refused", reason="bad-signature"), "path": "/etc/passwd"}
    result, found = judged(run(says(answer), "fetch=a.xml:100"))
    assert result == 0 and found["accepted"] == 0 and found["path"] == ""


def test_fetch_with_a_path_that_does_not_fit_or_is_invalid(run):
    answer = {**decided(), "path": "/run/phone/files/1"}
    results = run(
        says(answer, answer, {**decided(), "path": None}), "fetch=a:10", "fetch=a:18", "fetch=a:99", "fetch=a:99"
    )
    assert [(result, values["accepted"], values["path"]) for _, result, values in results[1:]] == [
        (SPACE, 0, ""), (SPACE, 0, ""), (PROTOCOL, 0, ""), (CLOSED, 0, ""),
    ]  # fmt: skip


def test_status(run):
    results = run(says({"status": {"state": "trusted"}}), "status=4000")
    assert json.loads(results[1][2]["json"]) == {"id": 1, "ok": True, "status": {"state": "trusted"}}


def test_an_answer_that_does_not_fit_is_skipped_and_the_next_is_read(run):
    huge = {"status": {"text": "x" * 300000}}
    results = run(says(huge, huge, decided()), "status=1000", "status=1", "judge=application:3")
    assert results[1:3] == [("status", SPACE, {"json": ""})] * 2
    assert results[3][1] == 0 and results[3][2]["accepted"] == 1


def test_a_request_that_the_agent_does_not_do(run):
    refused = {"ok": False, "error": "purpose must be one of: a, b"}
    results = run(says(refused, decided()), "judge=sip:1", "judge=application:1")
    assert results[1] == ("judge", REFUSED, {**NOTHING, "text": "purpose must be one of: a, b"})
    assert results[2][1] == 0


def test_events(run):
    trust = {
        "state": "trusted",
        "mode": "mixed",
        "installed": {"ctl": {"records": {"a": ["x" * 30] * 20}}, "itl": None},
    }

    def events(agent, connection):
        for event in (
            {"event": "decision", **decided(reason="signed-by-itl")},
            {"event": "weather", "weather": "fine"},
            {"event": "decision", **decided(text="y" * 20000)},
            {"event": "trust", "trust": {**trust, "mode": "nonsecure"}},
        ):
            connection.sendall(json.dumps(event).encode() + b"\n")

    results = run(says({"trust": trust}, then=events), "subscribe", "event=8000", "event=8000", "event=200")
    assert results[1][1:] == (0, {"event": 2, **NOTHING, "state": "trusted", "mode": "mixed"})
    assert results[2][1] == 0 and results[2][2]["event"] == 1 and results[2][2]["reason"] == "signed-by-itl"
    assert results[3][1:] == (0, {"event": 2, **NOTHING, "state": "trusted", "mode": "nonsecure"})
    assert results[4][1:] == (TIMEOUT, {"event": 0, **NOTHING, "state": "", "mode": ""})


def test_half_an_event_is_not_lost_when_the_time_is_up(run):
    proceed = threading.Event()

    def half(agent, connection):
        event = json.dumps({"event": "decision", **decided()}).encode() + b"\n"
        connection.sendall(event[:40])
        proceed.wait(0.6)  # longer than the client's first wait, shorter than its second
        connection.sendall(event[40:])

    results = run(
        says({"trust": {"state": "trusted", "mode": "mixed"}}, then=half), "subscribe", "event=300", "event=8000"
    )
    assert results[2][1] == TIMEOUT and results[3][1] == 0 and results[3][2]["accepted"] == 1


def test_an_answer_in_single_bytes_and_two_lines_at_once(run):
    def dripping(agent, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        for byte in HELLO:
            connection.sendall(bytes([byte]))
        for byte in json.dumps({"id": agent.request()["id"], "ok": True, **decided()}).encode() + b"\n":
            connection.sendall(bytes([byte]))
        line = json.dumps({"id": 2, "ok": True, **decided()}).encode() + b"\n"
        agent.request()
        connection.sendall(line + line.replace(b'"id": 2', b'"id": 3'))
        agent.wait()

    results = run(dripping, *["judge=application:2"] * 3)
    assert [(result, values["accepted"]) for _, result, values in results[1:]] == [(0, 1)] * 3


# Texts


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (rb"\u00e4\u20ac", "ä€"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (rb"\ud83d", "\ufffd"),
        (rb"\ud83dx", "\ufffdx"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
        (rb"\ud83d\u0041", "\ufffdA"),
        (rb"\u0000", "\ufffd"),
        (rb"\"\\\/\b\f\n\r\t", '"\\/\b\f\n\r\t'),
        ("ä€\U0001f600".encode(), "ä€\U0001f600"),
        (b"\xc3", "\ufffd"),
        (b"\xe2\x82", "\ufffd\ufffd"),
        (b"\xf0\x9f\x98", "\ufffd\ufffd\ufffd"),
        (b"\xff\x80a", "\ufffd\ufffda"),
        (b"\xc0\xaf\xed\xa0\x80", "\ufffd" * 5),
        (b"\xf4\x90\x80\x80", "\ufffd" * 4),
        (b"x" * 2047, "x" * 2047),
        (b"x" * 2048, "x" * 2047),
        (b"x" * 2045 + "€".encode(), "x" * 2045),
        (b"x" * 2044 + rb"\u20ac", "x" * 2044 + "€"),
    ],
)
def test_texts_are_whole_characters(run, written, text):
    raw = (
        b'{"id": 1, "ok": true, "decision": {"outcome": "accepted", "reason": "r", "kind": "k", "text": "%s"}}\n'
        % written
    )
    result, found = judged(run(says(raw), "judge=application:1"))
    assert result == 0 and found["text"] == text and found["accepted"] == 1


# The library as such


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_library_exports_needs_and_size(client_build, architecture):
    library = CLIENT.parent / architecture / "libphonetrust-client.so"
    done = subprocess.run(
        ["native/check-library.sh", library, "32768", "native/client/phonetrust_client.h"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "10 functions, needs libc.so.6" in done.stdout, done.stderr


def test_header_is_read_by_cpp_and_old_c(tmp_path):
    source = '#include "phonetrust_client.h"\nint main(void) { return phonetrust_client_error(0) == 0; }\n'
    for compiler, language in (("gcc", "c"), ("g++", "c++")):
        if shutil.which(compiler):
            subprocess.run(
                [compiler, "-Wall", "-Wextra", "-Werror", "-Inative/client", "-fsyntax-only", "-x", language, "-"],
                cwd=ROOT, input=source, text=True, check=True,
            )  # fmt: skip


def test_every_error_has_its_words(client_build):
    import ctypes

    library = ctypes.CDLL(str(CLIENT.parent / "x86_64" / "libphonetrust-client.so"))
    library.phonetrust_client_error.restype = ctypes.c_char_p
    header = (ROOT / "native/client/phonetrust_client.h").read_text()
    numbers = [int(number) for number in re.findall(r"PHONETRUST_CLIENT_ERROR_\w+ \((-\d+)\)", header)]
    words = [library.phonetrust_client_error(number) for number in (0, *numbers, -99)]
    assert numbers == [-1, -2, -3, -4, -5, -6] and len(set(words)) == 8


def test_fuzz_json(client_build):
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", "native/client", "fuzz", f"FUZZ_SECONDS={FUZZ_SECONDS}"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
