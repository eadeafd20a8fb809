# SPDX-License-Identifier: MIT
"""An update from the request to the restart against plain TFTP of the same file into memory, both on the phone's Python; the
heap that it takes; and what a start through U-Boot costs against a direct one."""

import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from hal.host import crypto
from host_tools.bench import device
from host_tools.bench.measure import Line, medians
from host_tools.board import emulator
from host_tools.image import board as boards
from host_tools.image import bootloader, fit, keys, load
from host_tools.image import build as builder
from host_tools.lab.servers.daemons import Atftpd

ROOT = boards.TOP
PROGRAM = Path(__file__).with_name("update_fetch.py")
MEMORY = Path("/dev/shm")
ROUNDS = 9
STARTS = 3
SLOT = 32 << 20
MEGABYTES = (1, 16)  # of the loads that the heap is looked at with
FIRST_LINE = b"SEP00270DC01C92, model"  # the agent's banner
START_LIMIT = 240


def run(folder, server, name, mode):
    """What the program prints: ms, or bytes."""
    done = subprocess.run(
        device.command(PROGRAM, mode, server.address[1], name, folder, heap="64M"),
        env=device.environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{mode}: {done.stdout}{done.stderr}")
    return float(done.stdout)


def made_load(served, size):
    """A load of about `size` MB in the folder `served`; its name."""
    version = f"0.0.{size + 1}"
    facts = fit.Facts(load.name("rpi3", version), "rpi3", version, version, "6.12", 0x200000)
    tools, key = bootloader.tools(ROOT, lambda text: None), keys.development(ROOT)
    image = fit.make(tools, facts, bytes(size << 20), b"", key)
    (served / f"{facts.name}.sgn").write_bytes(load.sign(facts.name, image, key))
    return facts.name


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


def updates(built):
    """Updates with the rpi3's own load, and with a small and a large one, in files that are in memory like the other side's."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as scratch:
        software, served = Path(scratch) / "software", Path(scratch) / "files"
        software.mkdir()
        served.mkdir()
        device.install(software, PROGRAM)
        (software / "key.der").write_bytes(keys.development(ROOT).der)
        for slot in ("slot-a", "slot-b"):
            with open(software / slot, "wb") as file:
                file.truncate(SLOT)
        content = built.load.read_bytes()
        (served / built.load.name).write_bytes(content)
        few, many = (made_load(served, size) for size in MEGABYTES)
        with Atftpd(served) as server:
            taken = {"memory": [], "update": []}
            for _ in range(ROUNDS):
                for mode, times in taken.items():
                    times.append(run(software, server, built.facts.name, mode))
            small, large = (run(software, server, name, "heap") / 1024 for name in (few, many))
    native, size = crypto("native"), len(content) / 1e6
    ours, theirs = (statistics.median(taken[mode]) for mode in ("update", "memory"))
    digest = medians([lambda: native.digest("sha512", content)], 5, 1, time.process_time)[0] * 1e3
    # Speed: as much as 0.7 of plain TFTP is wanted, so it is the times that are compared.
    yield Line(
        "update: time for a load, to TFTP into memory", ours, "ms", theirs, 1 / 0.7,
        f"{size:.1f} MB, slots in memory; {size / ours * 1e3:.0f} MB/s with verifying, writing, reading back, verifying that; "
        f"{size / theirs * 1e3:.0f} MB/s by TFTP alone", None,
        [
            ("TFTP", theirs),
            ("SHA-512 of the load, as it comes and from the slot, mbedTLS", 2 * digest),
            ("writing and reading the slot, signatures, blocks, Python", max(ours - theirs - 2 * digest, 0)),
        ],
    )  # fmt: skip
    yield Line(
        f"update: heap, a load of {MEGABYTES[1]} MB against {MEGABYTES[0]} MB", large, "KB", small, 1.01,
        "MicroPython x86-64, the most in use after a collection, looked at before each write to the slot",
    )  # fmt: skip


def lines():
    """Updates, then starts of the rpi3's image."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        image = folder / "image" / "rpi3.img"
        built = builder.build(boards.load("rpi3"), ROOT, image, builder.Content(), lambda text: None)
        yield from updates(built)
        starts = {"u-boot": [], "kernel": []}
        for _ in range(STARTS):
            for start, times in starts.items():
                times.append(first_line(image, folder, start))
        loader, direct = (statistics.median(starts[start]) for start in ("u-boot", "kernel"))
        yield Line(
            "power-on to the agent's first line", loader, "s", direct, None,
            "QEMU's raspi3b, first use; ours: through U-Boot, which verifies the slot; other: QEMU starts the kernel",
        )  # fmt: skip
