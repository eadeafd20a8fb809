# SPDX-License-Identifier: MIT
"""From 1 to 16 programs that ask the agent at once: the CPU time of an answer, and the agent's memory."""

import base64
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from host_tools.bench import size
from host_tools.bench.measure import Curve, Line
from host_tools.lab.model.keys import KeyMaker, make_identity

COUNTS = (1, 2, 4, 8, 16)
REQUESTS = 200  # of all programs together
ROUNDS = 5
SLACK = 1.1
# A program: connects until there is a place for it, says so, and on a word from standard input asks its share of requests, one
# after the other.
PROGRAM = """
import socket, sys, time
request = sys.argv[2].encode() + b"\\n"
def connect():
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(30)
    file = line.makefile("rb")
    try:
        line.connect(sys.argv[1])
        line.sendall(request)
        file.readline()
        return line, file, b'"decision"' in file.readline()
    except ConnectionError: # no place yet: those of the round before are only just going
        return line, file, False
line, file, served = connect()
while not served:
    time.sleep(0.05)
    line, file, served = connect()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[3])):
    line.sendall(request)
    if b'"decision"' not in file.readline():
        raise SystemExit("no decision")
print("done", flush=True)
"""


def cpu(process):
    """Seconds of CPU time that a process has used."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e9


def ask(process, path, request, count):
    """Seconds of CPU time of the agent until `count` programs have their answers."""
    share = str(REQUESTS // count)
    programs = [
        subprocess.Popen(
            [sys.executable, "-S", "-c", PROGRAM, path, request, share], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]  # fmt: skip
    try:
        pipes = [(each.stdin, each.stdout) for each in programs if each.stdin is not None and each.stdout is not None]
        for _, answers in pipes:
            if answers.readline() != "ready\n":
                raise RuntimeError("a program was not served")
        began = cpu(process)
        for requests, _ in pipes:
            requests.write("go\n")
            requests.flush()
        for _, answers in pipes:
            if answers.readline() != "done\n":
                raise RuntimeError("a program was not answered")
        return cpu(process) - began
    finally:
        for program in programs:
            program.communicate()


def lines():
    """The agent on MicroPython x86-64, the heap of the board; each request is a `judge` that the rules answer at once."""
    certificate = make_identity("application", KeyMaker().rsa()).der
    request = json.dumps(
        {"do": "judge", "purpose": "application", "certificate": base64.b64encode(certificate).decode()}
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with size.agent(folder) as process:
            path = str(folder / "state" / "trust.sock")
            found = {count: [] for count in COUNTS}
            for _ in range(ROUNDS + 1):
                for count, results in found.items():
                    taken = ask(process, path, request, count)
                    results.append((taken / (REQUESTS // count * count) * 1e6, size.resident(process)))
    times = {count: statistics.median(taken for taken, _ in results[1:]) for count, results in found.items()}
    memory = {count: max(kept for _, kept in results) for count, results in found.items()}
    few, many = COUNTS[0], COUNTS[-1]
    yield Curve("an answer of the agent, `judge`", "programs asking at once", "us of CPU", list(times.items()))
    yield Line(
        "growth: an answer, 16 programs asking against 1", times[many], "us", times[few], SLACK,
        "CPU time of the agent on MicroPython x86-64 for an answer to `judge`, by its socket; other: one program", 12,
    )  # fmt: skip
    yield Line(
        "growth: resident memory, 16 programs against 1", memory[many], "KB", memory[few], 1.05,
        "of the agent, after the answers", 12,
    )  # fmt: skip
