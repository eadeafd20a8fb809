# SPDX-License-Identifier: MIT
"""A board in QEMU. It boots from its card: QEMU takes U-Boot, device tree and command line from the FAT partition, as the
board's firmware does, and U-Boot takes the rest from the slots. If the board has no U-Boot, or to save its time, QEMU starts
the kernel of the confirmed slot itself. Then no signature is checked, no slot is on trial, and the phone knows that it cannot
replace its software.

The card is a file of the image's size that the emulated board writes to, as a real one writes to its SD card. The PC's
loopback is 10.0.2.2 for the board (QEMU's user network); the board reaches nothing else, and nothing else reaches the board.
"""

import os
import pathlib
import subprocess
import time

from host_tools.image import fat, fit, layout, programs
from host_tools.image.errors import ImageError

# The PC's 127.0.0.1, seen from the board.
PC_ADDRESS = "10.0.2.2"
DEFAULT_MAC = "00270DC01C92"
_LISTENING = "00010000"  # flags of a listening Unix socket in /proc/net/unix (__SO_ACCEPTCON of Linux)


def base_command(board, card, folder, mac=DEFAULT_MAC, start=None):
    """QEMU's command line for `board` with the file `card`, without console and monitor. Boot files go to `folder`.

    start: what QEMU starts, "u-boot" or "kernel"; None: as board.toml says. ImageError: the board cannot be emulated, or
    the card holds no image of it.
    """
    qemu = board.qemu
    if qemu is None:
        raise ImageError(f"{board.folder / 'board.toml'}: {board.name} has no [qemu]; it only exists as hardware")
    boot, _ = layout.boot_and_store(card)
    folder.mkdir(parents=True, exist_ok=True)
    cmdline = f"{fat.read(card, boot.offset, 'cmdline.txt').decode().strip()} {qemu.cmdline}".strip()
    if (start or qemu.start) == "u-boot":
        if not board.boot.loader:
            raise ImageError(f"{board.folder / 'board.toml'}: {board.name} has no U-Boot; QEMU can start its kernel")
        (folder / "loader").write_bytes(fat.read(card, boot.offset, board.boot.loader))
        started = [f"-{qemu.loader}", str(folder / "loader")]
    else:
        started = ["-kernel", str(folder / "kernel"), "-initrd", str(folder / "ramdisk")]
        cmdline += f" phonetrust.slot={_unpack_slot(card, folder)} phonetrust.boot=direct"
    tree = folder / qemu.device_tree
    tree.write_bytes(fat.read(card, boot.offset, qemu.device_tree))
    started += ["-dtb", str(tree)]
    if "-kernel" in started:
        started += ["-append", cmdline]
    else:  # QEMU takes -append for its -kernel alone
        programs.run("fdtput", "-t", "s", tree, "/chosen", "bootargs", cmdline)
    values = {"image": str(card).replace(",", ",,"), "mac": ":".join(mac[at : at + 2] for at in range(0, 12, 2))}
    command = [programs.find("qemu-system-aarch64"), "-machine", qemu.machine, "-m", str(qemu.memory_mib)]
    command += ["-nodefaults", "-no-user-config", "-display", "none", *qemu.arguments]
    command += started
    command += [argument.format(**values) for argument in qemu.disk]
    # restrict: only the PC's loopback. No IPv6: the address would come before DHCP's options.
    command += ["-netdev", "user,id=net0,ipv6=off"]
    command += [argument.format(**values) for argument in qemu.network]
    return command


def _unpack_slot(card, folder):
    """Write kernel and root file system of the confirmed slot to `folder` -> its name."""
    words, _ = layout.read_environment(card)
    name = "b" if words.get("slot") == "b" else "a"
    image = layout.read_slot(card, layout.parts(card)[3 if name == "b" else 2])
    if not image:
        raise ImageError(f"{card}: slot {name} holds no boot image")
    found = fit.parse(image)
    for part in ("kernel", "ramdisk"):
        (folder / part).write_bytes(fit.part(image, found, part))
    return name


class Emulator:
    """A running emulated board whose console is a Unix socket at `console`; `monitor` is its QMP socket."""

    def __init__(self, board, card, folder, mac=DEFAULT_MAC, start=None):
        self.board = board
        self.card = card
        self.folder = pathlib.Path(folder)
        self.mac = mac
        self.start_with = start
        self.console = self.folder / "console"
        self.monitor = self.folder / "monitor"
        self.process = None

    @property
    def running(self):
        """The process of a board that is on. ImageError where it is off."""
        if self.process is None:
            raise ImageError("the emulated board is off")
        return self.process

    def command(self):
        """QEMU's command line without console and monitor."""
        return base_command(self.board, self.card, self.folder, self.mac, self.start_with)

    def start(self):
        """Power on; returns when the console can be connected to. ImageError with QEMU's words where it does not start."""
        command = self.command()
        for path in (self.console, self.monitor):
            path.unlink(missing_ok=True)
        # The board waits for its first reader, so that the first line is not lost.
        command += [
            "-chardev",
            f"socket,id=console,path={self.console},server=on,wait=on",
            "-serial",
            "chardev:console",
        ]
        command += ["-qmp", f"unix:{self.monitor},server=on,wait=off"]
        complaints = self.folder / "qemu.log"
        with open(complaints, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 20
        while not listens(self.console):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                lines = complaints.read_text(errors="replace").strip().splitlines()
                raise ImageError(f"QEMU did not start: {lines[-1] if lines else 'it said nothing'}")
            time.sleep(0.02)

    def stop(self):
        """Power off, at once, as by pulling the plug."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        for path in (self.console, self.monitor):
            path.unlink(missing_ok=True)


def listens(path):
    """Whether a program listens on the Unix socket `path`; the file is there a moment before that."""
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        entries = [
            line.rstrip("\n").split(None, 7) for line in table
        ]  # number, users, protocol, flags, type, state, inode, path
    return any(entry[3] == _LISTENING and entry[7:] == [str(path)] for entry in entries)


def insert_card(image, card):
    """Make `card` a copy of `image`; holes stay holes."""
    card.parent.mkdir(parents=True, exist_ok=True)
    partial = card.with_name(f"{card.name}.{os.getpid()}")
    programs.run("cp", "--sparse=always", image, partial)
    os.replace(partial, card)
