# SPDX-License-Identifier: MIT
"""The whole image: partition table, boot partition, raw partitions of trust store and slots; and reading that back.

The table is an MBR, which is what the boot ROM of a Raspberry Pi looks for. sfdisk writes it; this file reads it by hand, as
the boot ROM does.
"""

import dataclasses
import os
import struct

from agent.formats import bootenv
from host_tools.image import programs
from host_tools.image.board import ENVIRONMENT_FROM_END
from host_tools.image.errors import ImageError

MIB = 1 << 20
SECTOR = 512
FAT32_LBA = 0x0C
RAW = 0xDA  # "Non-FS data"
KINDS = (FAT32_LBA, RAW, RAW, RAW)  # boot partition, trust store, slot A, slot B
TABLE = 446


@dataclasses.dataclass
class Partition:
    """One entry of the table; offset and size in bytes."""

    number: int
    kind: int
    offset: int
    size: int


def assemble(path, board, boot, store, slots, environment):
    """Write the image to the new file `path`: `boot` is the file of the FAT partition, `store` bytes or None (blank), `slots`
    the boot images of slot A and B, `environment` the bytes of both copies."""
    layout = board.image
    parts = layout.partitions()
    with open(path, "wb") as image:
        image.truncate(layout.size_mib * MIB)
    table = f"label: dos\nlabel-id: {layout.identifier:#010x}\nunit: sectors\nsector-size: {SECTOR}\n"
    for (start, size), kind in zip(parts, KINDS, strict=True):
        bootable = ", bootable" if kind == FAT32_LBA else ""
        table += f"start={start // SECTOR}, size={size // SECTOR}, type={kind:x}{bootable}\n"
    programs.run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, stdin=table.encode())
    with open(path, "r+b") as image:
        _copy(boot, image, parts[0][0])
        if store is not None:
            image.seek(parts[1][0])
            image.write(store)
        for offset, content in zip(layout.slot_offsets(), slots, strict=True):
            if len(content) > layout.slot_size():
                raise ImageError(f"a boot image of {len(content)} bytes: a slot has {layout.slot_size()}")
            image.seek(offset)
            image.write(content)
        for offset in layout.environment_offsets():
            image.seek(offset)
            image.write(environment)


def _copy(source, image, offset):
    """Copy a file to an offset. Blocks of zeros stay holes, so that the image takes only the disk space of its content."""
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


def parts(path):
    """The four partitions of one of our images -> (boot, store, slot A, slot B). ImageError where it is another image."""
    _, found = partitions(path)
    if tuple(partition.kind for partition in found) != KINDS:
        raise ImageError(f"{path}: is not an image of a phone: a FAT32 partition and three raw ones are expected")
    return found


def boot_and_store(path):
    """The first two of those partitions; also of a card that phonetrust 0.1 wrote, which has no slots."""
    _, found = partitions(path)
    if tuple(partition.kind for partition in found) not in (KINDS, KINDS[:2]):
        raise ImageError(f"{path}: is not an image of a phone: a FAT32 partition and raw ones are expected")
    return found[:2]


def read_slot(path, partition):
    """The boot image in a slot's partition, bytes; b"" where there is none. The image may be damaged."""
    with open(path, "rb") as file:
        file.seek(partition.offset)
        head = file.read(8)
        size = int.from_bytes(head[4:], "big")
        if head[:4] != b"\xd0\x0d\xfe\xed" or size > partition.size - MIB:
            return b""
        return head + file.read(size - 8)


def read_environment(path):
    """The words of U-Boot's environment on a card -> ({name: value}, [whether copy 1 and copy 2 are whole])."""
    copies = []
    with open(path, "rb") as file:
        for slot in parts(path)[2:]:
            file.seek(slot.offset + slot.size - ENVIRONMENT_FROM_END)
            copies.append(bootenv.decode(file.read(bootenv.SIZE)))
    index = bootenv.newest(copies)
    return (copies[index][1] if index is not None else {}), [copy is not None for copy in copies]
