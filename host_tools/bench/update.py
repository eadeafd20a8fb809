# SPDX-License-Identifier: MIT
"""An update from the request to the restart against plain TFTP of the same file into memory, both on the phone's Python; and
what a start through U-Boot costs against a direct one."""

import os
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from host_tools.bench import device
from host_tools.bench.measure import Line
from host_tools.board import emulator
from host_tools.image import board as boards
from host_tools.image import build as builder
from host_tools.image import keys
from host_tools.lab.servers.daemons import Atftpd

ROOT = boards.TOP
PROGRAM = Path(__file__).with_name("update_fetch.py")
ROUNDS = 5
STARTS = 3
SLOT = 32 << 20
FIRST_LINE = b"SEP00270DC01C92, model"  # the agent's banner
START_LIMIT = 240


def fetch(folder, server, name, mode):
    """The ms of one run of the program."""
    done = subprocess.run(
        device.command(PROGRAM, mode, server.address[1], name, folder, heap="64M"),
        env=device.environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{mode}: {done.stdout}{done.stderr}")
    return float(done.stdout.split()[-1])


def first_line(image, scratch, start):
    """Seconds from power-on to the agent's first line."""
    card = scratch / "card"
    emulator.insert_card(image, card)
    machine = emulator.Emulator(boards.load("rpi3"), card, scratch / "machine", start=start)
    machine.start()
    try:
        with socket.socket(socket.AF_UNIX) as line:
            begun = time.monotonic()
            line.connect(str(machine.console))
            line.settimeout(START_LIMIT)
            heard = b""
            while FIRST_LINE not in heard:
                part = line.recv(4096)
                if not part or time.monotonic() - begun > START_LIMIT:
                    raise RuntimeError(f"the board did not start: {heard[-300:]!r}")
                heard += part
            return time.monotonic() - begun
    finally:
        machine.stop()


def lines():
    """Updates of the rpi3's own load, then starts of its image."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        image = folder / "image" / "rpi3.img"
        built = builder.build(boards.load("rpi3"), ROOT, image, builder.Content(), lambda text: None)
        software = folder / "software"
        software.mkdir()
        device.install(software, PROGRAM)
        (software / "key.der").write_bytes(keys.development(ROOT).der)
        for slot in ("slot-a", "slot-b"):
            with open(software / slot, "wb") as file:
                file.truncate(SLOT)
        served = folder / "files"
        served.mkdir()
        os.link(built.load, served / built.load.name)
        with Atftpd(served) as server:
            taken = {"memory": [], "update": []}
            for _ in range(ROUNDS):
                for mode, times in taken.items():
                    times.append(fetch(software, server, built.facts.name, mode))
        size = built.load.stat().st_size / 1e6
        ours, theirs = (size / statistics.median(taken[mode]) * 1e3 for mode in ("update", "memory"))
        # Speed: as much as 0.7 of plain TFTP is wanted, so it is the times that are compared.
        yield Line(
            "update: time for a load, to TFTP into memory", size / ours, "s", size / theirs, 1 / 0.7,
            f"{size:.1f} MB; {ours:.1f} MB/s with verifying, writing, reading back; {theirs:.1f} MB/s by TFTP alone",
        )  # fmt: skip
        starts = {"u-boot": [], "kernel": []}
        for _ in range(STARTS):
            for start, times in starts.items():
                times.append(first_line(image, folder, start))
        loader, direct = (statistics.median(starts[start]) for start in ("u-boot", "kernel"))
        yield Line(
            "power-on to the agent's first line",
            loader,
            "s",
            direct,
            note="ours: through U-Boot, theirs: QEMU starts the kernel",
        )
