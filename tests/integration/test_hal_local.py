# SPDX-License-Identifier: MIT
"""Conformance of the HALs: the Unix socket for other programs of the phone."""

import os
import socket
import subprocess
import sys

import pytest

from tests.helpers.servers import hal_sides

EPIPE, ECONNRESET, ETIMEDOUT = 32, 104, 110
CLIENT = """
import os, socket
os.setgroups([])
os.setgid(65533)
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as client:
    client.connect("service")
    client.sendall(b"hello")
    assert client.recv(100) == b"hello"
"""


@pytest.fixture(params=hal_sides.PLAIN)
def real(request):
    return hal_sides.side(request.param)


def wait_for_line(process, line):
    assert process.stdout.readline().strip() == line


def connected(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(str(path))
    return client


def test_clients_are_served_side_by_side_and_known(real, tmp_path):
    path = tmp_path / "service"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    process = real.start("local", {"path": str(path)})
    wait_for_line(process, "ready")
    assert path.stat().st_mode & 0o777 == 0o660
    clients = [connected(path) for _ in range(3)]
    for number in (2, 0, 1):
        clients[number].sendall(b"hello %d" % number)
        assert clients[number].recv(100) == b"hello %d" % number
    clients[0].sendall(b"stop")
    assert clients[0].recv(100) == b"stop"
    for client in clients:
        client.close()
    assert real.finish(process) == [[os.getpid(), os.getuid(), os.getgid()]] * 3
    assert not path.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be a client of another user")
def test_a_client_is_known_by_process_user_and_group(real, tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    path = folder / "service"
    process = real.start("local", {"path": str(path)})
    wait_for_line(process, "ready")
    os.chown(path, 65534, 65533)
    folder.chmod(0o755)
    other = subprocess.Popen([sys.executable, "-c", CLIENT], cwd=folder)
    assert other.wait(30) == 0
    with connected(path) as client:
        client.sendall(b"stop")
        assert client.recv(100) == b"stop"
    found = real.finish(process)
    assert found[0] == [other.pid, 65534, 65533]


def test_a_file_of_the_name_of_the_socket_stays(real, tmp_path):
    (path := tmp_path / "service").write_text("precious")
    process = real.start("local", {"path": str(path)})
    assert "OSError" in process.communicate(timeout=60)[0] and path.read_text() == "precious"


def test_a_slow_client_costs_the_deadline_and_a_closed_client_is_an_error(real, tmp_path):
    path = tmp_path / "service"
    process = real.start("slow", {"path": str(path)})
    wait_for_line(process, "ready")
    with connected(path):
        wait_for_line(process, "full")
    found = real.finish(process)
    assert found["full"][0] == {"error": ETIMEDOUT} and 250 <= found["full"][1] < 5000
    assert found["quiet"][0] == {"error": ETIMEDOUT}
    assert found["ended"] == {"error": ECONNRESET}, "it went without having read everything"
    assert found["gone"] == {"error": EPIPE}
