# SPDX-License-Identifier: MIT
"""HTTP and HTTPS servers whose answers drip or never end: each costs the phone its deadline, on both Pythons."""

import pytest

from tests.helpers.servers.on_micropython import on_micropython
from tests.helpers.servers.protocol_phone import run
from tests.helpers.servers.tls_server import Identity, Server

TIMEOUT = 30000  # ms for the connection, and for the head of the answer; tests/unit/test_web.py has shorter ones
DEADLINE = 5000  # ms for the file, from the beginning
SLACK = 10000  # ms that a busy machine may take to notice it
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


def drip(connection, server, data, pause):
    """The data and then zeros, `pause` seconds before each byte."""
    connection.recv(1000)
    at = 0
    while not server.stopped.wait(pause):
        connection.sendall(data[at : at + 1] or b"0")
        at += 1


def dripping_head(connection, server):
    drip(connection, server, HEAD, 0.2)


def dripping_body(connection, server):
    connection.recv(1000)
    connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
    while not server.stopped.wait(0.1):
        connection.sendall(b"x")


def dripping_chunks(connection, server):
    connection.recv(1000)
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while not server.stopped.wait(0.1):
        connection.sendall(b"1\r\nx\r\n")


def endless(connection, server):
    """A body without an end, as fast as it is taken."""
    connection.recv(1000)
    connection.sendall(HEAD + b"\r\n")
    while not server.stopped.is_set():
        connection.sendall(bytes(65536))


CASES = {
    "dripping head": dripping_head, "dripping body": dripping_body, "dripping chunks": dripping_chunks, "endless": endless,
}  # fmt: skip


@pytest.mark.parametrize("python", ["cpython", "micropython"])
def test_a_slow_answer_costs_its_deadline(python, tmp_path):
    shown = Identity("files")
    servers, fetches, names = [], [], []
    for secure in (False, True):
        for name, handler in CASES.items():
            servers.append(Server(handler, shown if secure else None, tmp_path))
            fetches.append([secure, servers[-1].port])
            names.append((name, secure))
    wanted = {
        "fetches": fetches, "certificate": shown.certificate.hex(), "timeout": TIMEOUT, "deadline": DEADLINE,
    }  # fmt: skip
    try:
        results = run(wanted) if python == "cpython" else on_micropython(wanted, tmp_path)
    finally:
        for server in servers:
            server.close()
    for (name, secure), result in zip(names, results, strict=True):
        assert result["reason"] == "bad-transfer", (name, secure, result)
        assert "in time" in result["text"] or "the time is up" in result["text"], (name, secure, result)
        assert DEADLINE <= result["milliseconds"] < DEADLINE + SLACK, (name, secure, result)
