# SPDX-License-Identifier: MIT
"""The booted board, QEMU's Raspberry Pi 3: how long the agent takes to be trusted, against the kernel's own start.

Both times are the board's, which counts from the kernel's start: every line of its console has them."""

import re
import socket
import statistics
import tempfile
import time
from pathlib import Path

from host_tools.bench.measure import Line
from host_tools.board import card as cards
from host_tools.board import emulator
from host_tools.image import board as boards
from host_tools.image import build as builder
from host_tools.lab.model.cluster import Cluster

STARTS = 3
PATIENCE = 60  # s for one start
LINE = re.compile(rb"\[ *(\d+\.\d+)\] (\w+) +([^\r\n]*)\r?\n")
#: How the lines begin or what they have that mark: init's first line, the network that the agent waits for, the agent's first
#: line, and that it is trusted.
MARKS = {"init": b"power-on:", "online": b"network", "agent": b", model", "trusted": b"state trusted"}


def start(image, scratch, server):
    """{mark: seconds since the kernel's start} of one start of a new card."""
    card = scratch / "card"
    emulator.insert_card(image, card)
    cards.change_settings(card, {"mac": emulator.DEFAULT_MAC, "tftp": [server]})
    machine = emulator.Emulator(boards.load("rpi3"), card, scratch / "machine", start="kernel")
    machine.start()
    try:
        with socket.socket(socket.AF_UNIX) as line:
            ends = time.monotonic() + PATIENCE
            line.connect(str(machine.console))
            line.settimeout(PATIENCE)
            heard = b""
            while True:
                found = marks(heard)
                if len(found) == len(MARKS):
                    return found
                part = line.recv(4096)
                if not part or time.monotonic() > ends:
                    raise RuntimeError(f"the board did not get there, only {sorted(found)}: {heard[-300:]!r}")
                heard += part
    finally:
        machine.stop()


def marks(heard):
    """{mark: seconds} of what a console has said so far, the first line of each."""
    found = {}
    for seconds, _, text in LINE.findall(heard):
        for mark, sign in MARKS.items():
            if mark not in found and sign in text:
                found[mark] = float(seconds)
    return found


def lines():
    """First starts, with the lab's cluster on the PC; the mixed one has a CTL, too."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        image = folder / "image" / "rpi3.img"
        builder.build(boards.load("rpi3"), boards.TOP, image, builder.Content(), lambda text: None)
        cluster = Cluster.create(folder / "cluster", mixed=True)
        cluster.add_phone(emulator.DEFAULT_MAC)
        with cluster.serve() as serving:
            server = f"{emulator.PC_ADDRESS}:{serving.tftp_port()}"
            starts = [start(image, folder, server) for _ in range(STARTS)]
    kernel = statistics.median(found["init"] for found in starts)
    reading = statistics.median(found["agent"] - found["online"] for found in starts)
    boot = statistics.median(found["trusted"] - found["agent"] for found in starts)
    agent = statistics.median(found["trusted"] - found["online"] for found in starts)
    yield Line(
        "board: the agent's start to trusted", agent, "s", kernel, 0.25,
        "QEMU's raspi3b, first use in a mixed cluster, by the board's own clock: from the network's address, for which the "
        "agent's start waits, to `state trusted`; other: from the kernel's start to init's first line", 8,
        [("interpreter and modules", reading), ("boot: CTL, ITL, configuration, stored", boot)],
    )  # fmt: skip
