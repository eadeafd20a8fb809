# SPDX-License-Identifier: MIT
"""One update, or the same file by TFTP into memory, on the phone's Python: update_fetch.py MODE PORT NAME FOLDER prints the ms.

MODE "memory": the file goes to memory that is there already. "update": agent/boot/load.py takes it, from the request to the
restart: verified, written to a file as slot, read back, verified again. "heap": the same, and it prints instead the most bytes
of heap in use, looked at before each write to the slot. FOLDER has slot-a, slot-b (files), key.der.
"""

import asyncio
import gc
import sys

from agent.boot.load import LoadStep
from agent.fetch.fetcher import Fetcher
from agent.fetch.tftp.client import Client
from agent.formats import bootenv
from agent.trust.decision import Decision
from agent.trust.loads import Software
from hal import device

ENVIRONMENT = 65536


class Watched(device.Flash):
    """A slot that looks at the heap. most: the most bytes in use."""

    most = 0

    def write(self, offset, data):
        """Look, and write."""
        gc.collect()
        Watched.most = max(Watched.most, gc.mem_alloc())
        device.Flash.write(self, offset, data)


class Loads:
    """hal.loads over two files, of the class `flash`."""

    running, boot = "a", "normal"

    def __init__(self, folder, flash):
        self.slots = {name: flash(f"{folder}/slot-{name}", 0, 31 << 20) for name in ("a", "b")}
        self.environment = [device.Flash(f"{folder}/slot-{name}", 31 << 20, bootenv.SIZE) for name in ("a", "b")]

    def confirmed(self):
        """Nobody watches."""


class Anything:
    """The parts of a phone that an update only asks whether all is well."""

    lost = has_trust = False
    accepted = None

    def __init__(self):
        self.trust = self
        self.decisions = []

    def load_name(self, which):
        """None failed."""

    def keep_load_names(self, trial, failed):
        """Not kept."""

    def load_writes(self):
        """It is the first one."""
        return 0

    def keep_load_writes(self, count):
        """Not kept."""

    def record(self, decision):
        """Kept."""
        self.decisions.append(decision)


class Memory:
    """A sink of memory that is there already."""

    def __init__(self, size):
        self._data = memoryview(bytearray(size))
        self._size = 0

    def begin(self, size):
        """The file starts."""
        self._size = 0

    def write(self, block):
        """The next bytes."""
        self._data[self._size : self._size + len(block)] = block
        self._size += len(block)


async def measure(mode, port, name, folder):
    """The ms that it took, or the bytes of heap."""
    hal = device.Hal()
    tftp = Client(hal.net, hal.clock, hal.random, deadline=900000)
    if mode == "memory":
        sink = Memory(24 << 20)
        gc.collect()
        start = hal.clock.monotonic()
        await tftp.fetch(("127.0.0.1", port), name + ".sgn", sink, 24 << 20, start + 900000)
        return hal.clock.monotonic() - start
    with open(folder + "/key.der", "rb") as file:
        key = file.read()
    ended = []

    async def restart(load):
        ended.append(hal.clock.monotonic())

    def fetcher(servers):
        return Fetcher(tftp, None, [("127.0.0.1", port)], hal.clock)

    phone = Anything()
    board = name.split("-")[1]
    software = Software(f"phonetrust-{board}-0.0.1", board, "0.0.0", [key])
    slots = Loads(folder, Watched if mode == "heap" else device.Flash)
    step = LoadStep(
        slots, software, hal.crypto, phone, phone, phone, fetcher, lambda: True, phone, hal.clock, lambda line: None, restart
    )  # fmt: skip
    wanted = type("Configuration", (), {"load": name, "load_server": ""})
    phone.accepted = (Decision(True, "signed-by-itl", "SEP", ""), wanted)
    gc.collect()
    start = hal.clock.monotonic()
    await step.run()
    if phone.decisions[-1].reason != "load-installed":
        raise SystemExit(phone.decisions[-1].text)
    return Watched.most if mode == "heap" else ended[0] - start


print(asyncio.run(measure(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])))
