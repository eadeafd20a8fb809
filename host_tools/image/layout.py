# SPDX-License-Identifier: MIT
"""The whole image: partition table, boot partition, raw partition of the trust store; and reading that back.

The table is an MBR, which is what the boot ROM of a Raspberry Pi looks for. sfdisk writes it; it is read here by hand, as
the boot ROM does.
"""

import dataclasses
import os
import struct

from host_tools.image import programs
from host_tools.image.errors import ImageError

MIB = 1 << 20
SECTOR = 512
FAT32_LBA = 0x0C
RAW = 0xDA  # "Non-FS data"
TABLE = 446


@dataclasses.dataclass
class Partition:
    """One entry of the table; offset and size in bytes."""

    number: int
    kind: int
    offset: int
    size: int


def assemble(path, board, boot, store):
    """Write the image to the new file `path`: `boot` is the file of the FAT partition, `store` bytes or None (blank)."""
    layout = board.image
    sectors = [(2048, layout.boot_mib), (2048 + layout.boot_mib * MIB // SECTOR, layout.store_mib)]
    with open(path, "wb") as image:
        image.truncate(layout.size_mib * MIB)
    table = f"label: dos\nlabel-id: {layout.identifier:#010x}\nunit: sectors\nsector-size: {SECTOR}\n"
    for (start, mib), kind in zip(sectors, (FAT32_LBA, RAW), strict=True):
        table += (
            f"start={start}, size={mib * MIB // SECTOR}, type={kind:x}{', bootable' if kind == FAT32_LBA else ''}\n"
        )
    programs.run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, stdin=table.encode())
    with open(path, "r+b") as image:
        _copy(boot, image, sectors[0][0] * SECTOR)
        if store is not None:
            image.seek(sectors[1][0] * SECTOR)
            image.write(store)


def _copy(source, image, offset):
    """Copy a file to an offset; what is zero stays a hole, so that a 64 MB image takes as much as is in it."""
    with open(source, "rb") as file:
        while block := file.read(MIB):
            if block.count(0) != len(block):
                image.seek(offset)
                image.write(block)
            offset += len(block)


def partitions(path):
    """The partition table of an image or a card -> (identifier, [Partition]). ImageError where it has none."""
    with open(path, "rb") as image:
        size = image.seek(0, os.SEEK_END)
        image.seek(0)
        sector = image.read(SECTOR)
    if len(sector) != SECTOR or sector[510:] != b"\x55\xaa":
        raise ImageError(f"{path}: has no partition table")
    identifier = struct.unpack_from("<I", sector, 440)[0]
    found = []
    for number in range(4):
        kind, start, count = struct.unpack_from("<4xB3xII", sector, TABLE + 16 * number)
        if kind:
            found.append(Partition(number + 1, kind, start * SECTOR, count * SECTOR))
    for partition in found:
        if partition.offset + partition.size > size:
            raise ImageError(f"{path}: partition {partition.number} ends behind the image: it was cut short")
    return identifier, found


def boot_and_store(path):
    """The two partitions of one of our images -> (boot, store). ImageError where the image is not ours."""
    _, found = partitions(path)
    if [partition.kind for partition in found] != [FAT32_LBA, RAW]:
        raise ImageError(f"{path}: is not an image of a phone: one FAT32 and one raw partition are expected")
    return found
