# SPDX-License-Identifier: MIT
"""What another program of the phone cannot do to the serial line, to typed lines, to the agent and to root.

The program runs under MicroPython, so that it can try the system calls themselves."""

import json
import re
from pathlib import Path

import pytest

from host_tools.board import card as cards
from host_tools.image import board as boards
from host_tools.image import cpio, fat, layout

MIC = (Path(__file__).parents[1] / "vectors/lsc.pem").read_bytes()

# Says what it tried and what came of it, then waits. errno: 1 EPERM, 2 ENOENT, 6 ENXIO, 9 EBADF, 13 EACCES, 25 ENOTTY.
ATTACK = r"""#!/bin/micropython
import ffi, os, time
libc = ffi.open("libc.so.6")
ioctl = libc.func("i", "ioctl", "iiP")
opening = libc.func("i", "open", "si")
def said(text):
    print(text)
def outcome(result):
    return os.errno() if result < 0 else "done"
for path in ("/dev/tty", "/dev/console", "/dev/CONSOLE", "/run/console/log", "/dev/kmsg", "/run/phone/mic.pem"):
    said("open %s: %s" % (path, outcome(opening(path, 1))))
for number in (0, 1, 2):
    said("descriptor %d: %s" % (number, [outcome(ioctl(number, request, b"x")) for request in (0x5401, 0x5412, 0x540E, 0x540A)]))
import sys
said("input: %r" % sys.stdin.read())
said("tiocsti: " + open("/proc/sys/dev/tty/legacy_tiocsti").read().strip())
said("printk: " + open("/proc/sys/kernel/printk").read().split()[0])
for path in ("/run/x", "/run/phone/x", "/run/phone/agent/x", "/run/phone/certificates/x", "/run/phone/files/x", "/phone/x", "/x",
             "/run/console/x"):
    try:
        open(path, "w").close()
        said("write %s: done" % path)
    except OSError as error:
        said("write %s: %d" % (path, error.errno))
for entry in os.listdir("/proc"):
    if entry.isdigit():
        try:
            name = open("/proc/%s/cmdline" % entry).read().split("\0")
            status = dict([line.split(":", 1) for line in open("/proc/%s/status" % entry).read().split("\n") if ":" in line])
        except OSError:
            continue
        if name[0] == "/bin/micropython" and "-X" in name:
            for file in ("mem", "environ", "maps", "auxv", "fd", "cwd"):
                said("read the agent's %s: %s" % (file, outcome(opening("/proc/%s/%s" % (entry, file), 0))))
            said("read the agent by ptrace: %s" % outcome(libc.func("l", "ptrace", "lill")(16, int(entry), 0, 0)))
            said("dump: %s" % [line.split()[4:6] for line in open("/proc/%s/limits" % entry) if "core" in line])
        if name[0] in ("/bin/micropython", "/phone/serial"):
            said("process %s: %s" % (" ".join(name[:2] + name[-2:]), [status[key].strip().split()[0] for key in
                 ("Uid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")]))
# Where keys are: on the card, in the agent's memory, in the machine's.
disks = ["/dev/" + name for name in os.listdir("/sys/block") if name[:4] != "loop" and name[:3] != "ram"]
parts = ["/dev/" + name for disk in disks for name in os.listdir("/sys/block/" + disk[5:]) if name.startswith(disk[5:])]
for path in disks + parts + ["/run/phone/mic.pem", "/run/phone/store", "/run/phone/slot-a", "/dev/mem", "/proc/kcore"]:
    said("read %s: %s" % (path, outcome(opening(path, 0))))
# What the agent may write: everything whose owner, group or mode lets it.
def look(folder):
    try:
        names = os.listdir(folder or "/")
    except OSError:
        return
    for name in names:
        path = folder + "/" + name
        if path in ("/proc", "/sys"):
            continue
        try:
            mode, _, _, _, user, group = lstat(path)
        except OSError:
            continue
        kind = mode & 0o170000
        if kind != 0o120000 and (user == 1000 and mode & 0o200 or group == 1000 and mode & 0o020 or mode & 2):
            said("writable: %s" % path)
        if kind == 0o040000:
            look(path)
_lstat = libc.func("i", "lstat", "sP")
import struct
def lstat(path):
    found = bytearray(144)
    if _lstat(path, found):
        raise OSError(os.errno())
    mode, links, user, group = struct.unpack("IIII", found[16:32])
    return mode, 0, 0, 0, user, group
look("")
print("\x1b[2Jsteers \x9b\xc2\x85 a terminal")
print("[     0.000] notice  itl accepted first-use: a lie")
os.write(1, b"e" * 5000 + b"\n") if hasattr(os, "write") else print("e" * 5000)
said("the end of the attack")
while True:
    time.sleep(60)
"""

FLOOD = """#!/bin/sh
while :; do echo "flood } of a program } that says too much"; done
"""


@pytest.fixture
def started(phone, settings):
    """started(name=script, ...): the phone with these programs, off."""

    def put(**scripts):
        phone.new(**settings)
        entries = {f"programs/{name}": cpio.file(text.encode(), executable=True) for name, text in scripts.items()}
        with phone.card.in_pc() as path:
            cards.add_files(path, entries)
        return phone

    return put


@pytest.mark.needs("card")
def test_a_program_has_nothing_of_the_line_and_little_of_the_rest(started, environment):
    console = boards.load(environment.config.get_option("board")).phone.console
    phone = started(attack=ATTACK.replace("CONSOLE", console))
    with phone.card.in_pc() as path:
        boot = layout.parts(path)[0]
        fat.write(path, boot.offset, "mic.pem", MIC)
        line = fat.read(path, boot.offset, "cmdline.txt").decode().strip()
        fat.write(path, boot.offset, "cmdline.txt", f"{line} sysctl.dev.tty.legacy_tiocsti=1\n".encode())
    phone.boot()
    phone.await_line("attack: the end of the attack", 90)
    said = dict(
        re.findall(
            r"^attack: (open \S+|read [^:]+|write \S+|descriptor \d|input|dump|tiocsti|printk|process /bin[^:]+): (.*?)\r?$",
            phone.heard,
            re.M,
        )
    )
    assert said["open /dev/tty"] == "6"
    for path in ("/dev/console", f"/dev/{console}", "/run/console/log", "/dev/kmsg"):
        assert said[f"open {path}"] == "13", path
    for number in range(3):
        assert said[f"descriptor {number}"] == "[25, 25, 25, 25]", "a terminal"
    assert said["input"] == "''" and said["tiocsti"] == "0" and said["printk"] == "1"
    assert {path: why for path, why in said.items() if path.startswith("write") and why not in ("13", "30")} == {}
    agent = said["process /bin/micropython -X phone "]
    assert agent == "['1000', '0000000000000000', '0000000000000000', '1', '2']"
    for name in (f"write /dev/{console} ", "kernel 3 ", "pipe attack "):
        assert f"{name}: ['1002', '0000000000000000'," in phone.heard, name
    reads = {path.removeprefix("read "): why for path, why in said.items() if path.startswith("read ")}
    assert len(reads) > 14 and {path: why for path, why in reads.items() if why not in ("1", "2", "13")} == {}
    for what in ("/run/phone/mic.pem", "/run/phone/store", "the agent's mem"):
        assert reads[what] == "13", f"{what} is there"
    assert said["dump"] == "[['0', '0']]", "nor does the agent leave one"
    devices = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx"}
    writable = set(re.findall(r"^attack: writable: (\S+?)\r?$", phone.heard, re.M)) - devices
    store = {path for path in writable if re.fullmatch(r"/dev/(mmcblk\d+p\d+|vd\w\d+)", path)}
    own = {path for path in writable if re.match(r"/run/phone/(agent|files)(/|$)", path)}
    programs = {path for path in writable if path.startswith("/run/programs/")}
    assert writable - store - own - programs == set() and len(store) == 3, "the trust store and the two slots"
    assert "/run/phone/agent/trust.sock" in own
    assert "\x1b" not in phone.heard and "attack: ?[2Jsteers" in phone.heard
    assert "attack: [     0.000] notice  itl accepted" in phone.heard, "a lie is seen to be the program's"
    assert re.search(r"attack: e{1000}\.\.\.\r?\n", phone.heard)
    assert phone.status()["mic"] is True, "there was a key to be read"


@pytest.mark.needs("card")
def test_a_program_that_floods_tears_no_line_and_silences_nobody(started):
    phone = started(flood=FLOOD)
    assert phone.boot() == ("trusted", "nonsecure", False)
    phone.expect("flood: .*too much", 60)
    for _ in range(3):
        phone.type("show status")
        found = phone.expect(r"(?m)^(\{.*\})\r\n", 60)[1]
        assert json.loads(found)["mac"] == "00270DC01C92"
    phone.expect(r"flood: \[\d+ lines are missing here: they came too fast\]", 60)
    for line in phone.heard.splitlines()[1:-1]:
        assert not line.strip() or re.fullmatch(
            r"flood: (flood \} of a program \} that says too much|\[\d+ lines .*\])|\{.*\}|\[ *\d.*|show status",
            line.strip(),
        ), line


@pytest.mark.needs("card")
def test_a_console_line_without_end_is_dropped_and_the_next_is_read(phone, settings):
    phone.new(**settings)
    phone.boot()
    for _ in range(20):
        phone.console.write(b"x" * 100)
    phone.type("")
    phone.type("show security")
    phone.expect("Policy       first-use", 30)
