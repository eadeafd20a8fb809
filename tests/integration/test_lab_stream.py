# SPDX-License-Identifier: MIT
"""The lab's stream servers: a stopped server keeps its port, so that it can always start again."""

import socket

import pytest

from host_tools.lab.servers.stream import StreamServer


@pytest.fixture
def server():
    server = StreamServer(
        "127.0.0.1", 0, "test server", None, lambda stream, peer: stream.sendall(b"here"), lambda peer, text: None
    )
    yield server
    server.close()


def answer(port):
    with socket.create_connection(("127.0.0.1", port)) as client:
        return client.recv(100)


def test_a_stopped_server_refuses_connections_and_starts_again_on_its_port(server):
    assert answer(server.port) == b"here"
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        answer(server.port)
    server.start()
    assert answer(server.port) == b"here"


def test_no_other_program_gets_the_port_of_a_stopped_server(server):
    server.stop()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", server.port))
    with socket.socket() as other:  # nor by chance: a free port is another
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        assert other.getsockname()[1] != server.port


def test_a_closed_server_frees_its_port(server):
    server.close()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server.port))
