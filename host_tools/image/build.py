# SPDX-License-Identifier: MIT
"""From a board's folder to its image, in steps. Slow parts that do not change are kept in build/."""

import dataclasses
import gzip
import json
import os
import pathlib
import tempfile

from host_tools.image import fat, initramfs, layout, packages, phone_programs, settings, software
from host_tools.image.errors import ImageError

MIB = 1 << 20


@dataclasses.dataclass
class Content:
    """What a person may add to an image: settings for phone.json, the bytes of the trust store, other programs."""

    settings: dict = dataclasses.field(default_factory=dict)
    store: bytes | None = None
    programs: list = dataclasses.field(default_factory=list)  # folders and packages (phone_programs)


def build(board, top, output, content, report):
    """Build the image of `board` from the source tree `top` into the file `output` -> the version of its software.

    `report(text)` is called at each step. Raises ImageError where the image cannot be built, and leaves `output` as it was.
    """
    cache = top / "build/image/cache"
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = packages.unpack(board.packages, top / "build", report)
    files, version = boot_files(board, top, unpacked, cache, content, report)
    report("writing the partitions")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as name:
        folder = pathlib.Path(name)
        shape = board.image
        fat.make(folder / "boot", shape.boot_mib * MIB, shape.label, shape.identifier, files)
        layout.assemble(folder / "image", board, folder / "boot", content.store)
        os.replace(folder / "image", output)
    return version


def boot_files(board, top, unpacked, cache, content, report):
    """-> ({name: bytes} of the FAT partition, version of the phone's software)."""
    kernel = packages.kernel_version(unpacked)
    report("compiling the agent")
    phone, version = software.collect(top)
    report("collecting the root file system")
    system = initramfs.system(board, unpacked, kernel)
    libraries = {pathlib.PurePosixPath(name).name for name in system}
    others = phone_programs.entries(content.programs, board, top, libraries, report)
    archive = initramfs.pack(system, initramfs.phone(board, phone, version) | others, cache, board.name, report)
    files = {
        board.boot.kernel: _kernel(unpacked / f"boot/vmlinuz-{kernel}", cache, report),
        board.boot.initramfs: archive,
        "cmdline.txt": (board.command_line + "\n").encode(),
        "phone.json": settings.encode(content.settings),
        "README.TXT": settings.readme(),
        "build.json": _facts(board, kernel, version),
    }
    trees = unpacked / f"usr/lib/linux-image-{kernel}"
    for tree in board.boot.device_trees:
        files[pathlib.PurePosixPath(tree).name] = _read(trees / tree, "boot.device_trees", board)
    for name in board.boot.firmware:
        files[name] = _read(unpacked / "usr/lib/raspi-firmware" / name, "boot.firmware", board)
    if board.boot.firmware:
        files["config.txt"] = (board.folder / "config.txt").read_bytes()
    return files, version


def _kernel(path, cache, report):
    """The kernel, gzipped: the boot firmware and QEMU both unpack that."""
    kept = cache / f"{path.name}.gz"
    if not kept.is_file():
        report("compressing the kernel")
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        partial.rename(kept)
    return kept.read_bytes()


def _facts(board, kernel, version):
    facts = {"board": board.name, "version": version, "kernel": kernel, "suite": board.packages.suite}
    return (json.dumps(facts, indent=2) + "\n").encode()


def _read(path, key, board):
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"{board.folder / 'board.toml'}: key '{key}': the packages have no {path.name}") from error
