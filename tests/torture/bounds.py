# SPDX-License-Identifier: MIT
"""What a hostile server can cost: memory of the MicroPython phone, time until the next server is asked, writes of the flash."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from agent.settings import Settings
from tests.helpers.agent.hostile_servers import SERVERS
from tests.torture.tally import Tally

ROOT = Path(__file__).resolve().parents[2]
PROBE = ROOT / "tests/torture/bounds_probe.py"
HEAP = 512 * 1024  # bytes
#: ms of the phone's clock, and saves of its store
UNTIL_NEXT = Settings({"mac": "00270DC01C92"}).tftp_deadline
BOOT = 180000
WRITES = 4


def run(effort):
    """One line; its table has a row for each case."""
    tally = Tally(
        "bounds: hostile TFTP servers before a good one",
        f"MicroPython for arm64, a heap of 512 KB; at most {UNTIL_NEXT // 1000} s until the next server, {WRITES} saves. Heap: "
        "the most in use, garbage included, when a packet came. Files made to cost memory: `tests/unit/test_memory_hostile.py`.",
    )
    tally.rows = [("server", "until the next server", "whole boot", "heap", "packets", "saves", "outcome")]
    for name in sorted(SERVERS)[:: 4 if effort.short else 1]:
        one, said = probe(name)
        if one is None:
            tally.lose(f"{name}: {said}")
            continue
        until = one["until_next"]
        tally.rows.append(
            (
                one["name"],
                f"{until / 1000:.1f} s" if until is not None else "never",
                f"{one['boot'] / 1000:.1f} s",
                f"{one['heap'] // 1024} KB",
                one["packets"],
                one["writes"],
                "trusted" if one["good"] else ", ".join(one["reasons"]),
            )
        )
        within = until is not None and until <= UNTIL_NEXT and one["boot"] <= BOOT and one["writes"] <= WRITES
        if within and one["good"] and one["heap"] < HEAP:
            tally.survive((until or 0) / 1000)
        else:
            tally.lose(str(one))
    return [tally]


def probe(name):
    """(what the probe tells or None, what it printed) of one hostile server, in an interpreter of its own."""
    command = [ROOT / "host_tools/setup/micropython", "aarch64", "-X", "heapsize=512k", PROBE, name]
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        done = subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            env={**os.environ, "MICROPYPATH": str(ROOT), "PHONETRUST_TEST_FOLDER": folder},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return (json.loads(lines[-1]) if lines else None), (done.stdout + done.stderr)[-500:]
