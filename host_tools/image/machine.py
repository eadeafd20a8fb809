# SPDX-License-Identifier: MIT
"""The device tree of a machine that only QEMU has: QEMU makes it, and no kernel package has it."""

import pathlib
import tempfile

from host_tools.image import programs


def device_tree(board):
    """The bytes of the device tree of `board` as its [qemu] says; the same QEMU gives the same bytes. ImageError."""
    qemu = board.qemu
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tree"
        # dtb-randomness=off: a seed in the tree would be the same for all phones with this image.
        machine = f"{qemu.machine},dtb-randomness=off,dumpdtb={path}"
        command = ["-machine", machine, "-m", str(qemu.memory_mib), "-nodefaults", "-display", "none"]
        programs.run("qemu-system-aarch64", *command, *qemu.arguments)
        return path.read_bytes()
