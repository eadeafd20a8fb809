# SPDX-License-Identifier: MIT
"""From a board's folder to its card image and its load, in steps; slow results that do not change are kept in build/."""

import dataclasses
import gzip
import json
import os
import pathlib
import tempfile

from agent.formats import bootenv
from host_tools.image import (
    bootloader,
    contents,
    fat,
    fit,
    initramfs,
    keys,
    layout,
    load,
    machine,
    packages,
    phone_programs,
    settings,
    software,
)
from host_tools.image.errors import ImageError

MIB = 1 << 20


@dataclasses.dataclass
class Content:
    """What a person may choose for an image. settings: for phone.json. store: bytes of the trust store. key: keys.ImageKey that
    signs, None: the development key. spare: one more key (its certificate) that the phone believes. version: of the load, None:
    this source tree's. floor: the oldest version that a phone with this image takes. extra: cpio entries for the root file
    system ({path: cpio.Entry}). programs: folders and packages (phone_programs)."""

    settings: dict = dataclasses.field(default_factory=dict)
    store: bytes | None = None
    key: keys.ImageKey | None = None
    spare: keys.ImageKey | None = None
    version: str | None = None
    floor: str = load.FLOOR
    extra: dict = dataclasses.field(default_factory=dict)
    programs: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Result:
    """What was built. load: the path of NAME.sgn, contents: of the list of what is in it."""

    facts: fit.Facts
    load: pathlib.Path
    contents: pathlib.Path
    development: bool


def build(board, top, output, content, report):
    """Build the card image of `board` from the source tree `top` into the file `output`, and beside it the load and the
    list of what is inside -> Result.

    `report(text)` is called at each step. Raises ImageError where the image cannot be built, and leaves `output` as it was.
    """
    output = pathlib.Path(output)
    key = content.key or keys.development(top)
    unpacked = packages.unpack(board.packages, top / "build", report)
    image, facts, others = _boot_image(board, top, content, report)
    files = boot_files(board, top, unpacked, content, facts, report)
    report("writing the partitions")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as name:
        folder = pathlib.Path(name)
        shape = board.image
        fat.make(folder / "boot", shape.boot_mib * MIB, shape.label, shape.identifier, files)
        environment = bootenv.encode(0, {"slot": "a"})
        layout.assemble(folder / "image", board, folder / "boot", content.store, [image, image], environment)
        (folder / "load").write_bytes(load.sign(facts.name, image, key))
        (folder / "contents").write_bytes(contents.document(board, top, unpacked, facts, others))
        signed, listed = output.with_name(f"{facts.name}.sgn"), output.with_name(f"{facts.name}.spdx.json")
        for part, target in (("load", signed), ("contents", listed), ("image", output)):
            os.replace(folder / part, target)
    return Result(facts, signed, listed, any(one.development for one in (key, content.spare) if one))


def boot_image(board, top, content, report, cache=None):
    """-> (the signed boot image's bytes, its fit.Facts). cache: a folder for slow results; None: the one in build/."""
    return _boot_image(board, top, content, report, cache)[:2]


def _boot_image(board, top, content, report, cache=None):
    """boot_image(), and the phone_programs.Programs in it."""
    cache = cache or top / "build/image/cache"
    cache.mkdir(parents=True, exist_ok=True)
    key = content.key or keys.development(top)
    tools = bootloader.tools(top, report)
    unpacked = packages.unpack(board.packages, top / "build", report)
    kernel = packages.kernel_version(unpacked)
    report("compiling the agent")
    files, version, digest = software.collect(top, version=content.version)
    load.check_version(content.floor, "--floor")
    if load.numbers(version) < load.numbers(content.floor):
        raise ImageError(f"version {version} is below its own floor {content.floor}: no phone could go on from it")
    facts = fit.Facts(
        load.name(board.name, version), board.name, version, f"{version}+{digest}", kernel, board.boot.kernel_address
    )
    report("collecting the root file system")
    trusted = [key] + ([content.spare] if content.spare else [])
    phone = initramfs.phone(board, files, facts, trusted, content.floor)
    system = initramfs.system(board, unpacked, kernel)
    libraries = {pathlib.PurePosixPath(name).name for name in system}
    others = phone_programs.collect(content.programs, board, top, libraries, report)
    archive = initramfs.pack(system, phone | others.entries | content.extra, cache, board.name, report)
    report("signing the boot image")
    image = fit.make(tools, facts, _kernel(unpacked / f"boot/vmlinuz-{kernel}", cache, report), archive, key)
    return image, facts, others


def boot_files(board, top, unpacked, content, facts, report):
    """-> {name: bytes} of the FAT partition."""
    key = content.key or keys.development(top)
    trusted = [key] + ([content.spare] if content.spare else [])
    tools = bootloader.tools(top, report)
    files = {
        "cmdline.txt": (board.command_line + "\n").encode(),
        "phone.json": settings.encode(content.settings),
        "README.TXT": settings.readme(),
        "build.json": _facts(board, facts, trusted),
    }
    trees = unpacked / f"usr/lib/linux-image-{facts.kernel}"
    for tree in board.boot.device_trees:
        plain = _read(trees / tree, "boot.device_trees", board)
        files[pathlib.PurePosixPath(tree).name] = fit.trust(tools, plain, trusted)
    if board.qemu and board.qemu.own_tree:
        files[board.qemu.device_tree] = fit.trust(tools, machine.device_tree(board), trusted)
    for name in board.boot.firmware:
        files[name] = _read(unpacked / "usr/lib/raspi-firmware" / name, "boot.firmware", board)
    if board.boot.firmware:
        files["config.txt"] = (board.folder / "config.txt").read_bytes()
    if board.boot.loader:
        files[board.boot.loader] = bootloader.build(board, top, report)
    return files


def _kernel(path, cache, report):
    """The kernel, gzipped: U-Boot and QEMU both unpack that."""
    kept = cache / f"{path.name}.gz"
    if not kept.is_file():
        report("compressing the kernel")
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        partial.rename(kept)
    return kept.read_bytes()


def _facts(board, facts, trusted):
    found = {
        "board": board.name,
        "version": facts.software,
        "load": facts.name,
        "kernel": facts.kernel,
        "u-boot": bootloader.VERSION if board.uboot else None,
        "suite": board.packages.suite,
        "image keys": [key.fingerprint for key in trusted],
        "development": any(key.development for key in trusted),
    }
    return (json.dumps(found, indent=2) + "\n").encode()


def _read(path, key, board):
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"{board.folder / 'board.toml'}: key '{key}': the packages have no {path.name}") from error
