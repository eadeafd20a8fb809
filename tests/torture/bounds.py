# SPDX-License-Identifier: MIT
"""What a hostile server can cost: memory of the MicroPython phone, time until the next server is asked, writes of the flash."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from agent.settings import Settings
from host_tools.image.software import modules
from tests.helpers.agent import hostile_servers, hostile_streams
from tests.torture.tally import Tally

ROOT = Path(__file__).resolve().parents[2]
PROBE = ROOT / "tests/torture/bounds_probe.py"
#: protocol -> its hostile servers by name
PROTOCOLS = {
    "TFTP": hostile_servers.SERVERS,
    "HTTP": hostile_streams.HTTP,
    "TVS": hostile_streams.TVS,
    "CAPF": hostile_streams.CAPF,
    "DHCP": hostile_servers.DHCP,
}
#: KB of the heap: the phone, whose software is mapped into memory as on a board, and the sources of the test's servers
HEAP = 512
#: bytes of heap that a boot takes beyond what the phone has before it; the files are in buffers that it has
MEMORY = 32 << 10
#: saves of the store
WRITES = 4
#: A CAPF server that has begun to speak is the phone's server, and the refusal of a TVS server is an answer: no other is asked.
#: The boot ends, and what the phone trusts stays.
ANSWERS = ("CAPF", "TVS")


def limits():
    """protocol -> ms of the phone's clock until it asks the next server; and of the whole boot."""
    values = Settings({"mac": "00270DC01C92"})
    silent = sum(values.tftp_timeout << turn for turn in range(values.tftp_attempts)) + 1000  # one file of one server
    return {
        "TFTP": values.tftp_deadline,
        "HTTP": values.tftp_deadline,
        "TVS": 2 * values.tvs_timeout,
        "CAPF": 2 * values.capf_timeout,
        "DHCP": 7 * silent,
    }, values.boot_budget * 1000


def run(effort):
    """One line and one table for each protocol."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        software = Path(folder) / "software.romfs"
        software.write_bytes(modules(ROOT, more=["hal/fake/*.py"]))
        return [protocol_bounds(protocol, effort, software) for protocol in PROTOCOLS]


def protocol_bounds(protocol, effort, software):
    """Each hostile server of a protocol, before a good one. software: the file that holds agent/ and hal/."""
    until_next, budget = limits()
    most = until_next[protocol]
    tally = Tally(
        f"bounds: hostile {protocol} servers",
        f"a good server behind each; MicroPython for arm64 with a heap of {HEAP} KB; at most {most // 1000} s until "
        f"the next server, {budget // 1000} s a boot, {WRITES} saves, {MEMORY >> 10} KB of the heap beyond what the phone "
        "has before it boots, without garbage.",
    )
    tally.rows = [("server", "until the next server", "whole boot", "memory", "packets", "saves", "outcome")]
    names = sorted(PROTOCOLS[protocol])
    for name in names[:1] if effort.short else names:
        one, said = probe(protocol, name, software)
        if one is None:
            tally.lose(f"{protocol}, {name}: {said}")
            continue
        until = one["until_next"]
        tally.rows.append(
            (
                name,
                f"{until / 1000:.1f} s" if until is not None else "never",
                f"{one['boot'] / 1000:.1f} s",
                f"{one['heap'] // 1024} KB",
                one["packets"],
                one["writes"],
                "trusted" if one["good"] else ", ".join(one["reasons"]),
            )
        )
        fault = judge(protocol, one, most, budget)
        if fault:
            tally.lose(f"{protocol}, {name}: {fault}: {one}")
        else:
            tally.survive((until or 0) / 1000)
    return tally


def judge(protocol, one, most, budget):
    """What is wrong with what the probe tells, or None."""
    if one["boot"] > budget or one["writes"] > WRITES:
        return "a boot that is too long, or too many writes"
    if one["heap"] > MEMORY:
        return "too much memory"
    if "no-memory" in one["reasons"] or not one["trusted"]:
        return "no memory, or no trust"
    if one["until_next"] is None:
        return None if protocol in ANSWERS or one["good"] else "the next server was never asked"
    return None if one["good"] and one["until_next"] <= most else "too late, or not good at the end"


def probe(protocol, name, software):
    """(what the probe tells or None, what it printed) of one hostile server, in an interpreter of its own."""
    heap = f"heapsize={HEAP}k"
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        done = subprocess.run(
            [ROOT / "host_tools/setup/micropython", "aarch64", "-X", heap, str(PROBE), str(software), protocol, name],
            cwd=ROOT,
            env={
                **os.environ,
                "MICROPYPATH": str(ROOT),
                "PHONETRUST_TEST_FOLDER": folder,
                "PHONETRUST_LIBRARY": str(ROOT / "build/native/aarch64/libphonetrust.so"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return (json.loads(lines[-1]) if lines else None), (done.stdout + done.stderr)[-500:]
