# SPDX-License-Identifier: MIT
"""The FAT32 boot partition, made and read by mtools: no loop mount, no root rights. Same files, same bytes."""

import pathlib
import re
import tempfile

from host_tools.image import programs
from host_tools.image.errors import ImageError

# All files of all images have this date: 2025-01-01 00:00 UTC. FAT begins at 1980.
TIME = 1735689600
# mtools and mkfs take the time from here; mtools checks geometries that no SD card has.
ENVIRONMENT = {"SOURCE_DATE_EPOCH": str(TIME), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}


def make(path, size, label, identifier, files):
    """A FAT32 file system of `size` bytes in the new file `path` with `files` ({name: bytes}) in its root."""
    with open(path, "wb") as file:
        file.truncate(size)
    # One sector a cluster: so small a volume would be FAT16 otherwise. --invariant first, as it sets an identifier, too.
    programs.run(
        "mkfs.vfat", "--invariant", "-F", "32", "-s", "1", "-n", label, "-i", f"{identifier:08x}", path,
        environment=ENVIRONMENT,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(files):
            source = pathlib.Path(folder) / name
            source.write_bytes(files[name])
            programs.run("mcopy", "-i", path, source, f"::{name}", environment=ENVIRONMENT)


def names(image, offset):
    """-> {name: size} of the root folder of the FAT partition at `offset` of an image."""
    listing = programs.run("mdir", "-i", f"{image}@@{offset}", "-b", "::", environment=ENVIRONMENT).decode()
    found = {}
    for line in listing.splitlines():
        name = line.removeprefix("::/").strip()
        if name and not name.endswith("/"):
            found[name] = len(read(image, offset, name))
    return found


def read(image, offset, name):
    """The bytes of one file there. ImageError where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "file"
        programs.run("mcopy", "-n", "-i", f"{image}@@{offset}", f"::{name}", target, environment=ENVIRONMENT)
        return target.read_bytes()


def write(image, offset, name, content):
    """Replace or add one file there, as a person does at a PC."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise ImageError(f"'{name}' is no file name for the boot partition")
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / name
        source.write_bytes(content)
        programs.run("mcopy", "-o", "-i", f"{image}@@{offset}", source, f"::{name}", environment=ENVIRONMENT)
