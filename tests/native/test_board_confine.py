# SPDX-License-Identifier: MIT
"""What a program may still do after native/board/confine has started it; tests/hil tests arm64."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from host_tools.image import initramfs
from tests.helpers.native.make import make

ROOT = Path(__file__).resolve().parents[2]
CONFINE = ROOT / "build/native/x86_64/confine"
PYTHON = "/usr/bin/python3"
MICROPYTHON = ROOT / "build/micropython/x86_64"

# Calls that the agent never makes, each with valid arguments; all fail with EPERM (1).
CALLS = """
import ffi, os
libc = ffi.open("libc.so.6")
def tried(name, types, *values):
    result = libc.func("i", name, types)(*values)
    print(name, os.errno() if result < 0 else "done")
tried("fork", "")
tried("execv", "sP", "/bin/true", bytes(8))
tried("kill", "ii", 1, 0)
tried("ptrace", "lili", 0, 0, 0, 0)
tried("unshare", "i", 0x10000000)
tried("chmod", "si", "/", 0)
tried("socket", "iii", 17, 3, 0)
tried("ioctl", "iiP", 0, 0x5412, b"x")
tried("ioctl", "iii", 0, 0x540A, 0)
tried("setuid", "i", 0)
tried("socket", "iii", 2, 2, 0)
tried("fsync", "i", 99)
"""


@pytest.fixture(scope="session", autouse=True)
def built():
    make("native/board")


def confined(*words, **options):
    options = {
        "stdin": subprocess.DEVNULL,
        "capture_output": True,
        "text": True,
        "check": False,
        "timeout": 60,
    } | options
    return subprocess.run([CONFINE, *map(str, words)], **options)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@needs_root
def test_user_capabilities_input_files_and_session(tmp_path):
    (tmp_path / "typed").write_text("1234")
    program = (
        "import os,sys; print(open('/proc/self/status').read(), repr(sys.stdin.read()), os.getsid(0) == os.getpid())"
    )
    program += "; print(sorted(os.listdir('/proc/self/fd')), os.nice(0), __import__('resource').getrlimit(4))"
    with open(tmp_path / "typed") as typed, open(os.devnull) as other:
        os.set_inheritable(other.fileno(), True)
        done = confined("-n", 5, 1000, 1001, PYTHON, "-c", program, stdin=typed, close_fds=False, extra_groups=[4])
    assert done.returncode == 0, done.stderr
    for name, value in {"Uid": r"1000\s+1000\s+1000\s+1000", "Gid": r"1001\s+1001\s+1001\s+1001", "Groups": "",
                        "NoNewPrivs": "1"}.items():  # fmt: skip
        assert re.search(rf"^{name}:\s*{value}\s*$", done.stdout, re.M), name
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert re.search(rf"^{name}:\s+0{{16}}$", done.stdout, re.M), name
    assert "'' True" in done.stdout, "the input is empty, the session its own"
    assert "['0', '1', '2', '3'] 5 (0, 0)" in done.stdout, "3 is the folder that is listed"


@needs_root
def test_the_input_is_for_reading_only(tmp_path):
    (tmp_path / "typed").write_text("1234\n")
    tmp_path.chmod(0o755)
    program = "import os; print(os.read(0, 9)); os.write(0, b'x')"
    done = confined("-i", tmp_path / "typed", 1000, 1000, PYTHON, "-c", program)
    assert done.stdout == "b'1234\\n'\n" and "Bad file descriptor" in done.stderr


@needs_root
def test_system_calls_that_the_agent_does_not_need_fail(tmp_path):
    if not MICROPYTHON.is_dir():
        pytest.skip("build/micropython/x86_64 is not there: make micropython")
    loader = next(MICROPYTHON.glob("usr/lib*/**/ld-linux-x86-64.so.2"))
    words = [loader, "--library-path", MICROPYTHON / "usr/lib/x86_64-linux-gnu", MICROPYTHON / "usr/bin/micropython"]
    harmless = "".join(line for line in CALLS.splitlines(True) if "fork" not in line and "execv" not in line)
    free = confined(1000, 1000, *words, "-c", harmless)
    if "Permission denied" in free.stderr:
        pytest.skip("this source tree is in a folder that no other user may enter")
    assert "ioctl 25" in free.stdout, "without the filter the call is made, and /dev/null is no terminal"
    done = confined("-f", 1000, 1000, *words, "-c", CALLS)
    assert done.stdout.splitlines() == [
        "fork 1", "execv 1", "kill 1", "ptrace 1", "unshare 1", "chmod 1", "socket 1", "ioctl 1", "ioctl 1", "setuid 1",
        "socket done", "fsync 9",
    ], done.stderr  # fmt: skip


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "confine [-f]"),
        ([0, 0, "/bin/true"], "confine [-f]"),
        ([1000, 1000], "confine [-f]"),
        (["1000x", 1000, "/bin/true"], "confine [-f]"),
        (["-i", "/no/such", 1000, 1000, "/bin/true"], "confine: /no/such: No such file"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_started(words, why):
    done = confined(*words)
    assert done.returncode == 126 and why in done.stderr and not done.stdout


def test_the_users_are_those_of_the_image():
    header = (ROOT / "native/board/start.h").read_text()
    assert f"#define SERIAL_USER {initramfs.SERIAL_USER} " in header
