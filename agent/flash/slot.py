# SPDX-License-Identifier: MIT
"""Reads and writes the bytes of one slot of the store (agent/flash/store.py has the rules).

The region has two halves; each half is a slot:

    0      header, one sector of 512 bytes, written with one write
    4096   mark, one sector of 512 bytes, the same in both slots
    8192   payload: the sections one after the other, without gaps

    header: magic:8 generation:8 payload length:4 number of sections:4 payload SHA-256:32
            directory of 16 x (section:4 length:4)  SHA-256 of all before:32   zeros; integers are big-endian
"""

import json
import struct

SECTIONS = {
    "ctl": 1,
    "itl": 2,
    "configuration-name": 3,
    "configuration": 4,
    "tvs-servers": 5,
    "lsc": 6,
    "lsc-key": 7,
    "configuration-time": 9,  # release 0.1 reserved 8 and never wrote it
    "load-trial": 10,  # the name of the load that is, or was last, on trial
    "load-failed": 11,  # the name of the load that failed its trial last
    "load-writes": 12,  # one byte: how many loads the phone began to write without a pause (agent/boot/load.py)
}

SECTOR = 512
MARK_OFFSET = 4096
PAYLOAD_OFFSET = 8192
MAXIMUM_SECTIONS = 16

MAGIC = b"PHTRUST1"
MARK = b"phonetrust: this region is or was in use\n"
FIXED = ">8sQII32s"
FIXED_SIZE = 56
DIRECTORY_END = FIXED_SIZE + 8 * MAXIMUM_SECTIONS
DIGEST_SIZE = 32


class Stored:
    """One stored state. It can be read until its slot is written over, which begins with the second save() after it.

    slot: offset of the slot on flash, None once it has been written over. generation: a number that grows with each state.
    directory: a list of (section number, offset in the payload, length). size: bytes of the payload. digest: its SHA-256."""

    def __init__(self, flash, slot, generation, directory, size, digest):
        self._flash = flash
        self.slot = slot
        self.generation = generation
        self.size = size
        self.digest = digest
        self.directory = directory

    def names(self):
        """The names of its sections. A section that this version does not know is named section-NUMBER."""
        return [section_name(tag) for tag, _, _ in self.directory]

    def length(self, name):
        """The size of a section in bytes, or None if there is no such section."""
        found = self.find(name)
        return None if found is None else found[1]

    def read(self, name):
        """A section as a new bytearray, or None if there is no such section. Errors as read_into."""
        length = self.length(name)
        if length is None:
            return None
        buffer = bytearray(length)
        self.read_into(name, buffer)
        return buffer

    def read_into(self, name, buffer):
        """Read a section to the start of `buffer`. Returns its length, or None if there is no such section.

        Raises ValueError if the buffer is too small or the slot has been written over, and OSError from the flash.
        """
        found = self.find(name)
        if found is None:
            return None
        offset, length = found
        if len(buffer) < length:
            raise ValueError("section %s has %d bytes, the buffer %d" % (name, length, len(buffer)))
        self.read_part(offset, memoryview(buffer)[:length])
        return length

    def read_part(self, offset, buffer):
        """Fill `buffer` from the payload at `offset`. Errors as read_into."""
        if self.slot is None:
            raise ValueError("this stored state has been written over")
        if len(buffer):
            self._flash.read_into(self.slot + PAYLOAD_OFFSET + offset, buffer)

    def holds(self, name, data):
        """Whether a section is there and has exactly these bytes. It is read in small parts. Errors as read_into."""
        found = self.find(name)
        if found is None or found[1] != len(data):
            return False
        offset, length = found
        part = bytearray(SECTOR)
        for done in range(0, length, SECTOR):
            count = min(SECTOR, length - done)
            view = memoryview(part)[:count]
            self.read_part(offset + done, view)
            if view != data[done : done + count]:
                return False
        return True

    def find(self, name):
        """(offset in the payload, length) of a section, or None if there is no such section."""
        wanted = section_number(name)
        for tag, offset, length in self.directory:
            if tag == wanted:
                return offset, length
        return None


def read_header(sector, flash, slot, crypto):
    """The state that a header describes, or None if the header is not whole. sector: the header's bytes. slot: its offset on
    flash."""
    end = DIRECTORY_END + DIGEST_SIZE
    if crypto.digest("sha256", memoryview(sector)[:DIRECTORY_END]) != bytes(sector[DIRECTORY_END:end]):
        return None
    magic, generation, length, count, digest = struct.unpack_from(FIXED, sector, 0)
    if magic != MAGIC or count > MAXIMUM_SECTIONS:
        return None
    directory = []
    offset = 0
    for i in range(count):
        tag, size = struct.unpack_from(">II", sector, FIXED_SIZE + 8 * i)
        directory.append((tag, offset, size))
        offset += size
    if offset != length:
        return None
    return Stored(flash, slot, generation, directory, length, digest)


def write_header(stored, sector, crypto):
    """Fill `sector` (a bytearray of SECTOR bytes) with the header of a state."""
    for i in range(SECTOR):
        sector[i] = 0
    count = len(stored.directory)
    struct.pack_into(FIXED, sector, 0, MAGIC, stored.generation, stored.size, count, stored.digest)
    for i in range(count):
        tag, _, length = stored.directory[i]
        struct.pack_into(">II", sector, FIXED_SIZE + 8 * i, tag, length)
    digest = crypto.digest("sha256", memoryview(sector)[:DIRECTORY_END])
    sector[DIRECTORY_END : DIRECTORY_END + DIGEST_SIZE] = digest


def encode_servers(servers):
    """The section "tvs-servers" from a list of (host, port)."""
    return json.dumps([[host, port] for host, port in servers]).encode()


def decode_servers(data):
    """The list of (host, port) in the section "tvs-servers"; empty for None. Raises ValueError."""
    return [(host, port) for host, port in json.loads(bytes(data).decode())] if data else []


def is_blank(sector):
    """Whether nothing was ever written here: all bytes are 0x00, or all are 0xFF."""
    first = sector[0]
    if first not in (0x00, 0xFF):
        return False
    for byte in sector:
        if byte != first:
            return False
    return True


def section_number(name):
    """The number of the section with this name. Raises ValueError if there is none."""
    if name in SECTIONS:
        return SECTIONS[name]
    if name.startswith("section-"):
        return int(name[8:])
    raise ValueError("the store has no section named " + name)


def section_name(tag):
    """The name of a section; "section-N" if only a newer version knows it."""
    for name in SECTIONS:
        if SECTIONS[name] == tag:
            return name
    return "section-%d" % tag
