# SPDX-License-Identifier: MIT
"""The process that writes to a board's serial line (native/board/serial.h), with sanitizers, on a terminal of the test."""

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest

from tests.helpers.native.make import make

ROOT = Path(__file__).resolve().parents[2]
SERIAL = ROOT / "build/native/board/serial"
PATIENT = ROOT / "build/native/board/serial-patient"  # which waits for the end of a line for as long as it takes
MISSING = re.compile(rb"\[(\d+) lines are missing here: the console did not take them\]")
# /dev/kmsg: priority and facility, number, microseconds, flags; text, and lines of properties.
KERNEL = (
    b"6,1,1000,-;usb: a device\n",
    b"3,2,2000,-;not urgent enough\n",
    b"2,3,12345678,-,more;card \x1b[2J gone\n SUBSYSTEM=mmc\n DEVICE=b179:0\n",
    b"no record\n",
)
LIMIT = 30  # s until a test gives up; nothing is measured by it
FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "3")


@pytest.fixture(scope="session", autouse=True)
def built():
    make("native/board")


class Line:
    """A terminal in place of the serial line, a folder with the three FIFOs, and a writer between them."""

    def __init__(self, folder, program=SERIAL):
        self.folder = folder
        self.program = program
        for name in ("log", "agent", "typed"):
            os.mkfifo(folder / name, 0o600)
        self.person, self.device = pty.openpty()
        self.tty = os.ttyname(self.device)
        self.ends = {name: os.open(folder / name, os.O_RDWR) for name in ("log", "agent", "typed")}
        self.processes = []
        self.heard = b""

    def start(self, *words, **options):
        options = {"stdin": subprocess.DEVNULL, "cwd": self.folder} | options
        self.processes.append(subprocess.Popen([self.program, *words], **options))
        return self.processes[-1]

    def write(self):
        """A writer; started where it has the terminal."""
        process = self.start("write", self.folder, self.tty)
        end = time.monotonic() + LIMIT
        while len(self.processes) == 1 and termios.tcgetattr(self.device)[3] & termios.ECHO and time.monotonic() < end:
            time.sleep(0.01)
        return process

    def say(self, name, data):
        os.write(self.ends[name], data)

    def await_taken(self, *ends):
        """Wait until the writer has read what it was given at these ends, the terminal included."""
        end = time.monotonic() + LIMIT
        for number in (self.device, *[self.ends[name] for name in ends]):
            while fcntl.ioctl(number, termios.FIONREAD, bytes(4)) != bytes(4):
                assert time.monotonic() < end
                time.sleep(0.001)

    def hear(self, wanted):
        """Read the line until `wanted` bytes were heard -> everything since the last time, with them."""
        end = time.monotonic() + LIMIT
        while wanted not in self.heard:
            assert select.select([self.person], [], [], max(0, end - time.monotonic()))[0], self.heard[-500:]
            self.heard += os.read(self.person, 65536).replace(b"\r\n", b"\n")
        found, mark, self.heard = self.heard.partition(wanted)
        return found + mark

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        for number in (self.person, self.device, *self.ends.values()):
            os.close(number)


@pytest.fixture
def line(tmp_path):
    found = Line(tmp_path)
    yield found
    found.close()


@pytest.fixture
def patient_line(tmp_path):
    found = Line(tmp_path, PATIENT)
    yield found
    found.close()


def test_lines_never_land_inside_each_other(patient_line):
    line = patient_line
    line.write()
    long = b"{" + b"x" * 20000 + b"}\n"

    def agent():
        for _ in range(5):
            for at in range(0, len(long), 700):
                line.say("agent", long[at : at + 700])
                time.sleep(0.001)  # others get their turn in the middle
        line.say("agent", b"the end of the agent\n")

    def script(number):
        for count in range(150):
            line.say("log", b"script %d says %d and more\n" % (number, count))
            time.sleep(0.001)

    tasks = [threading.Thread(target=agent), *(threading.Thread(target=script, args=(number,)) for number in range(3))]
    for task in tasks:
        task.start()
    found = line.hear(b"the end of the agent\n")
    for task in tasks:
        task.join()
    line.say("log", b"the end\n")
    found += line.hear(b"the end\n")
    lines = [text + b"\n" for text in found.splitlines()]
    assert lines.count(long) == 5
    for number in range(3):
        assert [text for text in lines if text.startswith(b"script %d" % number)] == [
            b"script %d says %d and more\n" % (number, count) for count in range(150)
        ]
    assert len(lines) == 5 + 450 + 2


def test_a_line_that_takes_no_bytes_costs_lines_and_no_time(line):
    line.write()
    os.set_blocking(line.ends["agent"], False)
    termios.tcflow(line.device, termios.TCOOFF)
    for count in range(20000):  # 600 KB, all FIFOs hold 64: this would never end
        line.say("log", b"number %021d\n" % count)
    with pytest.raises(BlockingIOError):  # the agent is told, and drops lines itself (hal/lines.py)
        while True:
            line.say("agent", b"agent\n" * 100)
    termios.tcflow(line.device, termios.TCOON)
    found = b""
    while not MISSING.search(found):
        found += line.hear(b"missing here: the console did not take them]\n")
    line.say("log", b"the end\n")
    found += line.hear(b"the end\n")
    missing = sum(int(count) for count in MISSING.findall(found))
    shown = re.findall(rb"^number (\d{21})$", found, re.M)
    assert missing > 0 and len(shown) + missing == 20000
    assert shown == sorted(shown)


def test_an_endless_line_of_the_agent_delays_no_other_line(line):
    line.write()
    line.say("agent", b"no end")
    line.hear(b"no end")
    line.say("log", b"a script\n")
    assert line.hear(b"a script\n") == b"\na script\n"


def test_what_is_typed_is_edited_and_shown_and_goes_to_the_agent(line):
    line.write()
    line.say("log", b"ready\n")
    line.hear(b"ready\n")
    os.write(line.person, b"shot\x7fw \x1b[Ait\xc3\xa4\x08l\x03\r")
    shown = line.hear(b"\n")
    assert shown.rpartition(b"\x1b[K")[2] == b"show itl\n" and os.read(line.ends["typed"], 100) == b"show itl\n"
    os.write(line.person, b"wrong\x15reset\r\n\r\n")
    line.hear(b"reset\n")
    line.hear(b"\n")
    assert os.read(line.ends["typed"], 100) == b"reset\n\n"
    os.write(line.person, b"x" * 5000 + b"\nnext\n")
    line.hear(b"next\n")
    assert os.read(line.ends["typed"], 1000) == b"x" * 201 + b"\nnext\n", "one more than the agent takes"


def test_typed_text_tears_no_line_and_no_line_tears_it(patient_line):
    line = patient_line
    line.write()
    line.say("agent", b'{"a":')
    line.hear(b'{"a":')
    os.write(line.person, b"show ")
    line.say("log", b"a script\n")
    line.await_taken("log")
    line.say("agent", b" 1}\n")
    assert line.hear(b"show ") == b" 1}\nshow "
    line.say("agent", b"an answer\n")
    os.write(line.person, b"itl\r")
    assert line.hear(b"an answer\n") == b"itl\na script\nan answer\n"
    assert os.read(line.ends["typed"], 100) == b"show itl\n"


def test_a_person_who_stops_typing_delays_no_line(line):
    line.write()
    line.say("log", b"ready\n")
    line.hear(b"ready\n")
    os.write(line.person, b"show")
    line.hear(b"show")
    line.say("log", b"a script\n")
    assert line.hear(b"a script\n") == b"\na script\n"
    os.write(line.person, b" itl\r")
    assert line.hear(b"itl\n") == b"show itl\n"


def test_what_steers_a_terminal_is_not_shown(line):
    line.write()
    hostile = b"\x1b[2J \x07\x7f\t\xc2\x9b2J \xe2\x80\xae \xff \xed\xa0\x80 \xc3\xa4\xe2\x82\xac\xf0\x9f\x93\x9e\n"
    clean = b"?[2J ?? ?2J ? ? ? \xc3\xa4\xe2\x82\xac\xf0\x9f\x93\x9e\n"
    line.say("log", hostile)
    assert line.hear(b"\n") == clean
    for byte in hostile:  # also where a character comes in pieces
        line.say("agent", bytes([byte]))
        time.sleep(0.002)
    assert line.hear(b"\n") == clean
    line.say("log", b"l" * 3000 + b"\nnext\n")
    assert line.hear(b"next\n") == b"l" * 2048 + b"\nnext\n"


def test_programs_have_a_name_a_length_and_a_rate(line):
    line.write()
    relay = line.start("pipe", line.folder, "na\x1bme", stdin=subprocess.PIPE)
    relay.stdin.write(b"[  1.0] notice itl accepted\r\n\x1b]0;x\x07" + b"y" * 3000 + b"\n\n")
    relay.stdin.flush()
    assert line.hear(b"\n") == b"na?me: [  1.0] notice itl accepted\n"
    assert line.hear(b"\n") == b"na?me: ?]0;x?" + b"y" * 994 + b"...\n"
    began = time.monotonic()
    relay.stdin.write(b"".join(b"flood %06d\n" % count for count in range(20000)))
    relay.stdin.close()
    assert relay.wait(LIMIT) == 0, "whoever floods does not wait"
    spent = time.monotonic() - began
    line.say("log", b"the end\n")
    found = line.hear(b"the end\n")
    assert found.count(b"na?me: flood") * 20 <= 16384 + 2000 * (spent + 1)


def test_a_second_writer_takes_over(line):
    first, second = line.write(), None
    line.say("log", b"one\n")
    line.hear(b"one\n")
    second = line.write()
    line.say("log", b"two\n")
    assert line.hear(b"two\n") == b"two\n"
    first.kill()
    first.wait()
    line.say("log", b"three\n")
    line.say("agent", b"four\n")
    line.hear(b"three\n")
    assert second.poll() is None


def test_messages_of_the_kernel_are_lines_among_the_others(line):
    line.write()
    (line.folder / "printk").write_text("4\t4\t1\t7\n")
    for record in KERNEL:
        (line.folder / "kmsg").write_bytes(record)
        assert line.start("kernel", line.folder, "3").wait(LIMIT) == 1, "a device does not end as this file does"
    assert (line.folder / "printk").read_text()[0] == "1", "the kernel's own console is silent"
    line.say("log", b"the end\n")
    assert line.hear(b"the end\n") == b"[    12.345] error   kernel: card ?[2J gone\nthe end\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root")
def test_the_writer_gives_up_root(line):
    process = line.write()
    line.say("log", b"one\n")
    line.hear(b"one\n")
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert re.search(r"^Uid:\s+1002\s+1002\s+1002", status, re.M) and re.search(r"^CapEff:\s+0+$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)


def test_wrong_words_are_said():
    done = subprocess.run([SERIAL, "read"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("serial write FOLDER TTY")


def test_fuzz_what_is_typed_and_said():
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", "native/board", "fuzz", f"FUZZ_SECONDS={FUZZ_SECONDS}"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
