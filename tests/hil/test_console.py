# SPDX-License-Identifier: MIT
"""`phonetrust console` on each kind of port, by script and by hand."""

import io
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import threading
import time
import tty

import pytest

from host_tools.console import session
from tests.helpers.board.commands import COMMAND, phonetrust

LINE = re.compile(r"^\d\d:\d\d:\d\d\.\d{3} ", re.M)


class Server:
    """A console behind a TCP port: each connection gets the next of `scripts`, lists of bytes sent in pieces."""

    def __init__(self, *scripts, hold=True):
        self.received = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.target = f"socket://127.0.0.1:{self._socket.getsockname()[1]}"
        self._scripts = scripts
        self._hold = hold
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        for script in self._scripts:
            connection, _ = self._socket.accept()
            with connection:
                for piece in script:
                    connection.sendall(piece)
                    time.sleep(0.01)  # pieces, not one block
                while script is self._scripts[-1] and self._hold and not self._ended.is_set():
                    if select.select([connection], [], [], 0.05)[0]:
                        data = connection.recv(100)
                        if not data:
                            return
                        self.received += data

    def close(self):
        self._ended.set()
        self._socket.close()
        self._thread.join(10)


@pytest.fixture
def server():
    """server(script, ...) -> Server."""
    made = []

    def make(*scripts, **options):
        made.append(Server(*scripts, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_until_ends_with_status_0_also_where_the_text_comes_in_pieces(server, tmp_path):
    log = tmp_path / "console.log"
    served = server([b"booting\r\nstate tru", b"sted, mode", b" nonsecure\r\n"])
    done = phonetrust("console", served.target, "--until", "trusted, mode non", "--timeout", 20, "--log", log)
    assert done.returncode == 0
    assert len(LINE.findall(log.read_text())) == 2, "each line has its time"
    assert LINE.sub("", log.read_text()).startswith("booting\nstate trusted, mode non")


def test_until_ends_with_status_1_where_the_text_does_not_come(server):
    served = server([b"something else\n"])
    begun = time.monotonic()
    done = phonetrust("console", served.target, "--until", "trusted", "--timeout", 1, "--no-timestamps")
    assert done.returncode == 1 and done.stdout == "something else\n"
    assert 1 <= time.monotonic() - begun < 15


def test_a_port_that_goes_away_is_waited_for(server):
    served = server([b"before\n"], [b"after\n"])
    done = phonetrust("console", served.target, "--until", "after", "--timeout", 20, "--no-timestamps")
    assert done.returncode == 0
    assert re.fullmatch(r"before\n-- .*closed.*; waiting for it\n-- connected again\nafter\n", done.stdout)


def test_a_line_is_sent(server):
    served = server([b"ready\n"])
    phonetrust("console", served.target, "--send", "show status", "--timeout", 1)
    assert served.received == b"show status\n"


def test_invalid_targets():
    for target, complaint in (
        ("rpi33", "is no device (/dev/ttyUSB0), no URL and no board"),
        ("socket://host", "must be socket://HOST:PORT"),
        ("telnet://host:1", "must be socket://HOST:PORT or rfc2217://HOST:PORT"),
    ):
        done = phonetrust("console", target, "--timeout", 5)
        assert done.returncode == 2 and complaint in done.stderr


def test_a_board_that_does_not_run_is_said_and_waited_for():
    done = phonetrust("console", "qemu-virt", "--until", "x", "--timeout", 1)
    assert done.returncode == 1 and "`phonetrust board run qemu-virt` starts it; waiting for it" in done.stdout


@pytest.fixture
def line():
    """A serial line: (the board's end, the PC's device)."""
    board, pc = pty.openpty()
    tty.setraw(board)
    tty.setraw(pc)
    yield board, os.ttyname(pc)
    os.close(board)
    os.close(pc)


def converse(board, target):
    """A console that sends a line and waits for the answer; what it showed."""
    console = subprocess.Popen(
        [*COMMAND, "console", target, "--until", "from the board", "--timeout", "30", "--send", "hello"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert select.select([board], [], [], 30)[0], "nothing came through"
        assert os.read(board, 100) == b"hello\n"
        os.write(board, b"from the board\n")
        output, _ = console.communicate(timeout=40)
        assert console.returncode == 0
        return output.decode()
    finally:
        console.kill()
        console.wait()
        console.stdout.close()


def test_a_serial_port(line):
    board, device = line
    assert "from the board" in converse(board, device)


def test_rfc2217(line, tmp_path):
    ser2net = shutil.which("ser2net", path=os.environ["PATH"] + ":/usr/sbin")
    if ser2net is None:
        pytest.skip("ser2net is not installed")
    board, device = line
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = tmp_path / "ser2net.yaml"
    configuration.write_text(
        "%YAML 1.1\n---\nconnection: &con\n"
        f"  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: serialdev,{device},115200n81,local\n"
    )
    process = subprocess.Popen(
        [ser2net, "-n", "-d", "-c", configuration], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert "from the board" in converse(board, f"rfc2217://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_keys_go_through_and_control_bracket_ends(server):
    served = server([b"login: "])
    terminal, other = pty.openpty()
    process = subprocess.Popen([*COMMAND, "console", served.target], stdin=other, stdout=other, stderr=other)
    os.close(other)
    try:
        shown = b""
        while b"login: " not in shown:
            assert select.select([terminal], [], [], 20)[0], shown
            shown += os.read(terminal, 1000)
        os.write(terminal, b"abc\x03\r")  # Ctrl-C is the board's
        end = time.monotonic() + 20
        while b"\r" not in served.received and time.monotonic() < end:
            select.select([], [], [], 0.05)
        assert served.received == b"abc\x03\r"
        os.write(terminal, b"\x1d")
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def test_bytes_that_are_no_text_do_not_hurt():
    output = io.StringIO()
    printer = session.Printer([output], clock=lambda: 0)
    for byte in b"\xff\x00a\xc3\xa4\r\nb\n":
        printer(bytes([byte]))
    assert [line[13:] for line in output.getvalue().splitlines()] == ["�aä", "b"]
