# SPDX-License-Identifier: MIT
"""Conformance of the HALs: the console reads whole lines, and never waits for a slow reader."""

import contextlib
import fcntl
import os
import pty
import re
import select
import socket
import subprocess
import termios
import time

import pytest

from tests.helpers.servers import hal_sides

LINES = 4000
MISSING = re.compile(rb"\[(\d+) lines are missing here: the console did not take them\]")


@pytest.fixture(params=hal_sides.PLAIN)
def real(request):
    return hal_sides.side(request.param)


def typed(real, data):
    """The lines that a console finds in `data`."""
    process = real.start("console", {}, stdin=subprocess.PIPE)
    process.stdin.buffer.write(data)
    process.stdin.close()
    process.stdin = None
    return real.finish(process)


def test_lines_and_their_end(real):
    assert typed(real, b"show itl\r\n\nwithout end") == ["show itl", "", "without end"]
    assert typed(real, b"") == []


def test_what_is_no_text(real):
    (line,) = typed(real, b"a\xff\xfeb\n")
    assert line == "a??b"


def test_a_line_of_more_than_200_bytes_is_dropped_to_its_end(real):
    long = [b"x" * size for size in (200, 201, 256, 5000, 300000)]
    found = typed(real, b"first\n" + b"\n".join(long) + b"\nlast\n")
    assert found == ["first", "x" * 200, "last"]
    assert typed(real, b"first\n" + b"y" * 1000) == ["first"], "one that never ends"


def test_a_file_and_nothing_as_input(real, tmp_path):
    (path := tmp_path / "lines").write_text("one\ntwo\n")
    with path.open() as lines:
        assert real.finish(real.start("console", {}, stdin=lines)) == ["one", "two"]
    assert real.finish(real.start("console", {})) == []


def read_all(number, process):
    """What comes from a file descriptor until the process has ended and it is empty."""
    found = b""
    while True:
        ended = process.poll() is not None
        if select.select([number], [], [], 0 if ended else 0.2)[0]:
            try:
                data = os.read(number, 65536)
            except OSError:  # a terminal whose other end has gone
                data = b""
            found += data
            if data:
                continue
        if ended:
            return found


def check_shouted(found):
    """All lines are whole, in order, and those that are missing were counted."""
    lines = found.replace(b"\r\n", b"\n").splitlines()
    expected = 0
    losses = 0
    for line in lines:
        if missing := MISSING.fullmatch(line):
            expected += int(missing.group(1))
            losses += 1
        else:
            assert line == b"line %d " % expected + b"x" * 60
            expected += 1
    assert expected == LINES and losses >= 1


def shout(real, tmp_path, output, stdin, release):
    """Let a probe write more than `output` takes; `release` is called afterwards."""
    told = tmp_path / "told"
    process = real.start(
        "shout", {"path": str(told), "lines": LINES}, stdin=stdin, stdout=output, stderr=subprocess.PIPE
    )
    ends = time.monotonic() + 60
    while not (told.exists() and told.read_text()):
        assert process.poll() is None and time.monotonic() < ends, process.stderr.read()
        time.sleep(0.02)
    assert int(told.read_text()) < 10000
    release(process)
    return process


def finish(process):
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == 0, errors


def after(process, found, number):
    """Read on until the note about the lines that are missing has come, then let the probe end."""
    while not MISSING.search(found):
        assert select.select([number], [], [], 30)[0]
        found += os.read(number, 65536)
    process.stdin.close()
    process.stdin = None
    return found + read_all(number, process)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_reader_that_does_not_read_costs_lines_and_no_time(real, tmp_path, kind):
    if kind == "pipe":
        reader, writer = os.pipe()
    else:
        reader, writer = (each.detach() for each in socket.socketpair())
    try:
        process = shout(real, tmp_path, writer, subprocess.PIPE, lambda process: os.close(writer))
        check_shouted(after(process, b"", reader))
        finish(process)
    finally:
        os.close(reader)


def test_a_terminal_that_was_stopped_costs_lines_and_no_time(real, tmp_path):
    controller, terminal = pty.openpty()
    try:
        termios.tcflow(terminal, termios.TCOOFF)
        process = shout(
            real, tmp_path, terminal, subprocess.PIPE, lambda process: termios.tcflow(terminal, termios.TCOON)
        )
        assert not fcntl.fcntl(terminal, fcntl.F_GETFL) & os.O_NONBLOCK, "the terminal is also that of others"
        check_shouted(after(process, b"", controller))
        finish(process)
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_reader_that_has_gone_ends_nothing(real, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    process = shout(real, tmp_path, writer, subprocess.PIPE, lambda process: os.close(writer))
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stdin = None
    finish(process)


def test_a_file_takes_all(real, tmp_path):
    path = tmp_path / "log"
    with path.open("w") as log:
        process = shout(real, tmp_path, log, subprocess.DEVNULL, lambda process: None)
        finish(process)
    assert path.read_text().splitlines() == [f"line {number} " + "x" * 60 for number in range(LINES)]
