# SPDX-License-Identifier: MIT
"""How time and heap grow with records in a trust list and with the size of a signed file: linear in bytes, constant in heap."""

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from agent.trust.decision import Decision
from agent.trust.rules import Trust
from hal.host import crypto
from host_tools.bench import device
from host_tools.bench.measure import Curve, Line, medians
from host_tools.bench.streaming import SAST_ROLE, make
from host_tools.lab.model.keys import KeyMaker, make_identity
from host_tools.lab.writers import files

RECORDS = (5, 10, 20, 40, 60)
MEGABYTES = (1, 4, 16, 64)
APPLICATION_ROLE = 7
LIST_ROUNDS, LIST_CALLS, FILE_ROUNDS = 41, 5, 3
PROGRAM = Path(__file__).with_name("growth_stream.py")
#: What "linear" and "constant" allow: the cost of a byte, and the heap, at the large end against the small end.
SLACK = 1.1


def make_list(count, signer, others):
    """A trust list with `count` records."""
    records = [files.record(signer.certificate, SAST_ROLE)]
    records += [files.record(other.certificate, APPLICATION_ROLE) for other in others[: count - 1]]
    return files.trust_list("ITLFile.tlv", signer, records, 1767225600)


def lists():
    """From 5 to 60 records, all checks, on CPython with libphonetrust."""
    native, signer = crypto("native"), make_identity("bench", KeyMaker().rsa())
    key = KeyMaker().rsa()
    others = [make_identity(f"application-{number}", key) for number in range(RECORDS[-1])]
    made = [make_list(count, signer, others) for count in RECORDS]

    def judge(data):
        decision = Trust(native, limit=len(data)).decide_list("itl", data)
        if not isinstance(decision, Decision) or not decision.accepted:
            raise RuntimeError(f"the list was not accepted: {decision}")

    sides = [lambda data=data: judge(data) for data in made]
    times = [seconds * 1e6 for seconds in medians(sides, LIST_ROUNDS, LIST_CALLS, time.process_time)]
    sizes = [len(data) / 1024 for data in made]
    yield Curve("a trust list, all checks", "records", "us", list(zip(RECORDS, times, strict=True)))
    yield Line(
        "growth: a KB of a list, 60 records against 5", times[-1] / sizes[-1], "us", times[0] / sizes[0], SLACK,
        "CPython with libphonetrust, all checks; other: a KB of the list with 5 records", 12,
    )  # fmt: skip


def streams():
    """From 1 to 64 MB, on MicroPython x86-64."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        device.install(folder, PROGRAM)
        found = {size: [] for size in MEGABYTES}
        for size in MEGABYTES:
            data, trusted = make(size << 20)
            (folder / f"file-{size}").write_bytes(data)
            (folder / f"list-{size}").write_bytes(trusted)
        for _ in range(FILE_ROUNDS):
            for size, results in found.items():
                results.append(stream(folder, size))
    times = {size: statistics.median(taken for taken, _ in results) / 1e3 for size, results in found.items()}
    heaps = {size: max(heap for _, heap in results) / 1024 for size, results in found.items()}
    small, large = MEGABYTES[0], MEGABYTES[-1]
    yield Curve("a signed file, verified as it streams", "MB", "ms", list(times.items()))
    yield Curve("heap in use meanwhile", "MB of the file", "KB", list(heaps.items()))
    yield Line(
        "growth: a MB of a signed file, 64 MB against 1", times[large] / large, "ms", times[small] / small, SLACK,
        "MicroPython x86-64, from a file, blocks of 16 KB; other: a MB of the small file", 12,
    )  # fmt: skip
    yield Line(
        "growth: heap, a file of 64 MB against 1 MB", heaps[large], "KB", heaps[small], 1.01,
        "the most in use after a collection, looked at after each MB", 4,
    )  # fmt: skip


def stream(folder, size):
    """(us, bytes of heap) of one run."""
    done = subprocess.run(
        device.command(PROGRAM, folder / f"file-{size}", folder / f"list-{size}"),
        stdin=subprocess.DEVNULL, env=device.environment(folder), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{size} MB: {done.stdout}{done.stderr}")
    taken, heap = done.stdout.split()
    return int(taken), int(heap)


def lines():
    """Both."""
    yield from lists()
    yield from streams()
