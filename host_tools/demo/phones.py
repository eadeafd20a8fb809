# SPDX-License-Identifier: MIT
"""The phones of the demonstration: the booted board, and the board's program alone. Both run what the image carries.

A phone has `title`, `address` (the PC's loopback as the phone sees it) and console(servers): a context
manager that boots it once with these TFTP servers in its settings, gives the lines of its console, and ends the phone.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import threading

from host_tools.board import card as cards
from host_tools.board import emulator
from host_tools.image import board as boards
from host_tools.image import build as builder
from host_tools.image import fit, keys, layout, load
from host_tools.image.software import unpack

MAC = emulator.DEFAULT_MAC
MICROPYTHON = boards.TOP / "host_tools/setup/micropython"
HEAP = "512k"  # enough for lists of 64 KB
FLASH_SIZE = 1 << 20
BOOT_LIMIT = 90  # seconds until a phone that does not get ready is stopped
BOARD = "rpi3"
# Lines that are shown: those of the phone, and what U-Boot says of slots and signatures.
TOLD = re.compile(r"\[ *[\d.]+\]|slot [ab] |rsa2048|Starting kernel")


@contextlib.contextmanager
def stopped_after(limit, stop):
    """Call stop() from another thread if the with block takes longer than `limit` seconds."""
    timer = threading.Timer(limit, stop)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class ProgramPhone:
    """The boards' program under the arm64 MicroPython, user-mode emulation, its flash in a file. Starts at once."""

    title = "the boards' program under MicroPython for arm64, emulated Cortex-A53"
    address = "127.0.0.1"

    def __init__(self, folder, report):
        self.folder = folder
        self.software = folder / "software"
        report("compiling the agent")
        self.software.mkdir(parents=True, exist_ok=True)
        unpack(self.software, boards.TOP)
        (folder / "store").write_bytes(bytes(FLASH_SIZE))  # blank: a phone fresh from the factory

    def next_load(self):
        """None: this phone cannot replace its own software."""

    @contextlib.contextmanager
    def console(self, servers, limit=BOOT_LIMIT):
        """Boot once; the lines of the console, for `limit` seconds at most."""
        settings = {"mac": MAC, "model": "8861", "tftp": servers}
        (self.folder / "phone.json").write_text(json.dumps(settings))
        library = str(self.software / "libphonetrust.so")
        process = subprocess.Popen(
            [str(MICROPYTHON), "aarch64", "-X", f"heapsize={HEAP}", "-m", "phone", str(self.folder)],
            env={**os.environ, "MICROPYPATH": str(self.software), "PHONETRUST_LIBRARY": library},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process, stopped_after(limit, process.kill):
            try:
                yield process.stdout
            finally:
                process.kill()


class EmulatedBoard:
    """The image, booted in QEMU as a Raspberry Pi 3. Each boot powers the machine on, and ends as if the plug were pulled."""

    title = "the SD card image, booted in QEMU as a Raspberry Pi 3"
    address = emulator.PC_ADDRESS

    def __init__(self, folder, report):
        self.folder = folder
        self.board = boards.load(BOARD)
        self.card = folder / "card.img"
        builder.build(self.board, boards.TOP, self.card, builder.Content(), report)

    def next_load(self):
        """A load that is newer than the card's: (its file, its name)."""
        parts = layout.read_slot(self.card, layout.parts(self.card)[2])
        major, minor, patch = fit.facts_of(fit.parse(parts)).version.split(".")
        content = builder.Content(version=f"{major}.{minor}.{int(patch) + 1}")
        image, facts = builder.boot_image(self.board, boards.TOP, content, lambda text: None)
        file = self.folder / f"{facts.name}.sgn"
        file.write_bytes(load.sign(facts.name, image, keys.development(boards.TOP)))
        return file, facts.name

    @contextlib.contextmanager
    def console(self, servers, limit=BOOT_LIMIT):
        """Power on; the lines of the serial console with only the main lines of U-Boot, for `limit` seconds at most."""
        cards.change_settings(self.card, {"mac": MAC, "tftp": servers})
        machine = emulator.Emulator(self.board, self.card, self.folder / "machine", MAC)
        machine.start()
        with contextlib.ExitStack() as stack:
            stack.callback(machine.stop)
            line = stack.enter_context(socket.socket(socket.AF_UNIX))
            line.connect(str(machine.console))
            stack.enter_context(stopped_after(limit, machine.running.kill))
            lines = stack.enter_context(line.makefile("r", encoding="utf-8", errors="replace"))
            yield (text for text in lines if TOLD.search(text))


KINDS = {"board": EmulatedBoard, "micropython": ProgramPhone}
