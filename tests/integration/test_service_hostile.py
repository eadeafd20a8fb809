# SPDX-License-Identifier: MIT
"""Programs that misbehave on the trust service's real socket harm only themselves; both Pythons serve."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time

import pytest

from host_tools.client import Unsupported
from tests.helpers.servers.service_lab import connected, raw, wait_until, works


def last_words(stream):
    """The lines that a client gets until the service closes the connection."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while block := stream.recv(65536):
            said += block
    stream.close()
    return said


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "one JSON object a line"),
        (b"\xff" * 50 + b"\n", "one JSON object a line"),
        (b"[" * 16000 + b"\n", "one JSON object a line"),
        (b'{"do": "status", "id": {}}\n', "an id is"),
        (b"x" * 20000, "at most 16384 bytes"),
    ],
)
def test_garbage_ends_that_client_alone(lab, data, words):
    with lab.client() as good:
        bad = raw(lab)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            bad.sendall(data)
        assert words in json.loads(last_words(bad))["error"]
        assert good.status()["state"] == "trusted"


def test_an_endless_line_is_not_kept(lab):
    bad = raw(lab)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        for _ in range(10000):
            bad.sendall(b"x" * 65536)
    bad.close()
    assert works(lab)


def test_who_floods_and_never_reads_is_hung_up_on(lab):
    deaf = raw(lab)
    deaf.settimeout(0.2)
    with lab.client() as good:
        deadline = time.monotonic() + 60
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    deaf.sendall(b'{"id": 1, "do": "status"}\n' * 100)
                assert good.status()["state"] == "trusted"
    deaf.close()


def test_a_program_that_floods_and_reads_leaves_other_programs_their_turns(lab):
    stop = threading.Event()
    counts = [0]

    def flood():
        with raw(lab) as stream:
            while not stop.is_set():
                stream.sendall(b'{"id": 1, "do": "unsubscribe"}\n' * 50)
                while b"\n" * 1 not in stream.recv(65536):
                    pass
                counts[0] += 1

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        with lab.client() as good:
            wait_until(lambda: counts[0] > 0)
            for _ in range(20):
                start = time.monotonic()
                assert good.judge("tvs", lab.cluster.certificate("tvs", 1)).accepted
                assert time.monotonic() - start < 3
    finally:
        stop.set()
        thread.join(30)


def test_a_program_that_opens_a_hundred_connections_leaves_room(lab):
    program = (
        "import socket, sys\n"
        "held = []\n"
        "for _ in range(100):\n"
        "    one = socket.socket(socket.AF_UNIX); one.settimeout(20); one.connect(sys.argv[1]); one.recv(4096)\n"
        "    held.append(one)\n"
        "print('all', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, lab.phone.socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as greedy:
        try:
            assert greedy.stdout.readline() == "all\n"
            with lab.client() as first, lab.client() as second:
                assert first.status()["state"] == second.status()["state"] == "trusted"
        finally:
            greedy.stdin.close()
            greedy.wait(20)
    assert works(lab)


def test_one_program_has_four_connections(lab):
    for _ in range(3):  # those that have ended count no more
        with contextlib.ExitStack() as held:
            for _ in range(4):
                held.enter_context(connected(lab))
            with pytest.raises(Unsupported, match="one program may have 4 connections"):
                lab.client()


def test_a_program_may_leave_at_any_point_of_a_request(lab):
    request = b'{"id": 1, "do": "status"}\n'
    for cut in (0, 1, 10, len(request) - 1, len(request)):
        stream = raw(lab)
        stream.sendall(request[:cut])
        stream.close()
    for _ in range(20):  # and who does not even wait for the greeting
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(lab.phone.socket)
        stream.close()
    assert works(lab)


def test_the_phone_says_nothing_but_its_log(lab):
    """Runs last for each kind of phone: no test above caused a traceback or ended the agent."""
    assert lab.phone.process.poll() is None
    lines = lab.phone.output().splitlines()
    assert [line for line in lines if not line.startswith("[")] == []
