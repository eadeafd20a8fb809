# SPDX-License-Identifier: MIT
"""Sizes: the library, the image's root file system, the heap that the largest lists need, the agent in memory."""

import contextlib
import json
import os
import platform
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from host_tools.bench import device
from host_tools.bench.measure import Line
from host_tools.image import board as boards
from host_tools.image import build as builder
from host_tools.image import fit, layout
from host_tools.image.software import unpack

LIBRARY = device.ROOT / "build" / "native" / "aarch64" / "libphonetrust.so"
HEAP_PROGRAM = Path(__file__).with_name("heap_phone.py")
LISTS = device.ROOT / "tests" / "vectors_own"
#: KB between which the least heap is looked for, and how closely.
LEAST, MOST, STEP = 256, 1024, 8
FLASH_SIZE = 1 << 20
READY_IN = 60  # s


def suffices(folder, heap):
    """Whether a phone with `heap` KB installs the two largest lists and replaces them."""
    (folder / "flash").write_bytes(b"\xff" * (1 << 19))
    done = subprocess.run(
        device.command(HEAP_PROGRAM, LISTS, folder / "flash", heap=f"{heap}K"),
        stdin=subprocess.DEVNULL, env=device.environment(folder), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode == 0 and done.stdout.strip().endswith("installed and replaced")


def least_heap(folder):
    """KB of heap, found by halving."""
    low, high = LEAST, MOST
    if not suffices(folder, high):
        raise RuntimeError(f"two lists of 64 KB are not installed with {high} KB of heap")
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        low, high = (low, middle) if suffices(folder, middle) else (middle, high)
    return high


@contextlib.contextmanager
def agent(folder):
    """The process of an agent that waits for programs: MicroPython x86-64, the board's heap, its state in `folder`/state."""
    state, software = folder / "state", folder / "board"
    state.mkdir()
    software.mkdir()
    unpack(software, device.ROOT, platform.machine())
    (state / "store").write_bytes(bytes(FLASH_SIZE))
    (state / "phone.json").write_text(json.dumps({"mac": "00270DC01C92", "model": "8861", "tftp": []}))
    process = subprocess.Popen(
        [*device.interpreter(), "-X", "heapsize=8M", "-m", "phone", state],
        env=device.environment(software), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        ends = time.monotonic() + READY_IN
        while not answers(state / "trust.sock"):
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("the agent does not start")
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def resident(process):
    """KB of its memory that are there."""
    rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return int(re.findall(r"^Rss: +(\d+)", rollup, re.M)[0])


def answers(path):
    """Whether the agent answers `status` on its socket."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(path))
            line.settimeout(READY_IN)
            line.sendall(b'{"do": "status"}\n')
            return line.recv(100).startswith(b"{")
        except OSError:
            return False


def lines():
    """As they are installed, stripped."""
    yield Line(
        "libphonetrust for arm64", LIBRARY.stat().st_size / 1024, "KB", None, 340, "the shared library as it is installed",
        11,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        device.install(folder, HEAP_PROGRAM, more=["hal/fake/*.py"])
        yield Line(
            "heap for a CTL and an ITL of 64 KB each", least_heap(folder), "KB", None, 512,
            f"the least with which MicroPython {platform.machine()} installs both and replaces them, to {STEP} KB; the modules "
            "are mapped, as on a board", 11,
        )  # fmt: skip
        with agent(folder) as process:
            kept = resident(process)
        yield Line(
            "resident memory of the agent", kept / 1024, "MB", None, None,
            "MicroPython x86-64 with the heap of the board (8 MB), started, without servers, answering other programs", 11,
        )  # fmt: skip
        image = builder.build(
            boards.load("rpi3"), device.ROOT, folder / "rpi3.img", builder.Content(), lambda text: None
        )
        slot = layout.read_slot(folder / "rpi3.img", layout.parts(folder / "rpi3.img")[2])
        ramdisk = fit.part(slot, fit.parse(slot), "ramdisk")
        yield Line(
            "root file system of the rpi3 image (initramfs)",
            len(ramdisk) / 1e6,
            "MB",
            None,
            5,
            "compressed, in the slot",
            11,
        )
        yield Line(
            "load of the rpi3 (slot)", os.stat(image.load).st_size / 1e6, "MB", None, None,
            "kernel, device tree, root file system, signed: what an update fetches", 11,
        )  # fmt: skip
