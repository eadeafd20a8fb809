# SPDX-License-Identifier: MIT
"""Keeps a state that survives a loss of power, in two slots of a raw flash region, as boot loaders do.

A slot holds one whole state as *sections* (trust lists, configuration, keys ...). A new state goes to the slot that is not in
use; the other slot stays untouched until the new state is complete. So a loss of power at any moment leaves the old state
or the new state.

Writing goes in this order, with a sync after each step: payload; header; and, only the first time, both marks. The payload is
on the medium before a header names it, so a whole header with a broken payload means damage, never an interrupted write.
agent/flash/slot.py has the layout.

Reading takes the state of the highest generation whose header and payload are whole. If there is none, the region is
  - factory-new, if both marks and one header are blank (all 0x00 or all 0xFF) and the other header is not whole. The first
    save() never ended, and a loss of power left that header behind;
  - trust-lost otherwise. A mark, a whole header or a second header exists only after a slot was complete once.
If a slot is whole and a mark is missing (power failed between header and mark), the next load() writes the marks.
erase() leaves a state without sections. load() returns None for it, as for a factory-new region.
"""

from agent.errors import TrustLost
from agent.flash.slot import (
    MARK,
    MARK_OFFSET,
    MAXIMUM_SECTIONS,
    PAYLOAD_OFFSET,
    SECTOR,
    Stored,
    is_blank,
    read_header,
    section_name,
    section_number,
    write_header,
)

CHUNK = 4096  # bytes copied or hashed at a time
NO_SPACE = 28  # ENOSPC, which MicroPython's errno does not name


class Store:
    """The store on the flash part of a HAL; the HAL's crypto computes SHA-256.

    Call load() first. capacity: bytes that the sections of one state may have together. Raises ValueError if the region is
    too small for a store.
    """

    def __init__(self, flash, crypto):
        self.flash = flash
        self.crypto = crypto
        self.slot_size = flash.size // 2 // SECTOR * SECTOR
        self.capacity = self.slot_size - PAYLOAD_OFFSET
        if self.capacity <= 0:
            raise ValueError("a store needs more than %d bytes of flash, not %d" % (2 * PAYLOAD_OFFSET, flash.size))
        self.current = None
        self.generation = 0
        self.sector = bytearray(SECTOR)
        self.chunk = bytearray(CHUNK)
        self._state = None  # None before load(), then "ready" or the sentence that says why trust is lost
        self._first_slot = 0
        self._previous = None
        self._writer = None

    def load(self):
        """The stored state, or None if the region is factory-new or erased.

        Raises TrustLost if something was stored and no slot is whole. A slot that the flash cannot read counts as not whole.
        """
        self._retire(self.current)
        self._retire(self._previous)
        self._end_writer()
        self.current = None
        self._previous = None
        headers = [self._read_header(0), self._read_header(self.slot_size)]
        marks = [self._read_mark(0), self._read_mark(self.slot_size)]
        whole = [stored for kind, stored in headers if kind == "whole"]
        whole.sort(key=lambda stored: -stored.generation)
        self.generation = whole[0].generation if whole else 0
        for stored in whole:
            if self._payload_is_whole(stored):
                self.current = stored
                break
        kinds = [kind for kind, _ in headers]
        if self.current is None and (marks != ["blank", "blank"] or "whole" in kinds or "blank" not in kinds):
            self._state = (
                "What this phone had stored cannot be read any more (headers: %s, %s). It refuses everything until a "
                "person at the phone erases its trust lists, or a new image is written." % (kinds[0], kinds[1])
            )
            raise TrustLost(self._state)
        self._state = "ready"
        self._first_slot = 0 if kinds[1] == "blank" else self.slot_size
        if self.current is None:
            return None
        if marks != ["mark", "mark"]:
            self._write_marks()
        if not self.current.directory:
            if [len(stored.directory) for stored in whole] != [0, 0]:
                try:
                    self._finish_erase()
                except OSError:
                    pass  # the state is erased; the next load() overwrites the rest
            return None
        return self.current

    def save(self, changes):
        """Store a new state. changes: a dictionary of section name -> bytes, or None to remove the section; all other sections
        are kept.

        Returns the new Stored, which is on the medium. Raises OSError if the flash fails or the state does not fit (ENOSPC);
        the old state stays. Raises TrustLost if trust is lost, since then only erase() may write.
        """
        writer = self.writer()
        changed = [section_number(name) for name in changes]
        if self.current:
            for tag, _, _ in self.current.directory:
                if tag not in changed:
                    writer.keep(section_name(tag))
        for name in changes:
            if changes[name] is not None:
                writer.add(name, changes[name])
        return writer.commit()

    def writer(self):
        """A Writer of the next state, for sections that do not fit into memory. It ends the previous writer. Raises TrustLost."""
        if self._state is None:
            self.load()
        if self._state != "ready":
            raise TrustLost(self._state)
        return self._new_writer()

    def erase(self):
        """Go back to the factory state, also if trust is lost, and overwrite all payload with zeros. Raises OSError.

        A loss of power leaves the old state or the erased state; in that case the next load() overwrites the rest.
        """
        if self._state is None:
            try:
                self.load()
            except TrustLost:
                pass
        self._new_writer().commit()
        self._finish_erase()
        self._state = "ready"

    def _finish_erase(self):
        self._retire(self._previous)
        for i in range(CHUNK):
            self.chunk[i] = 0
        for slot in (0, self.slot_size):
            offset = slot + PAYLOAD_OFFSET
            while offset < slot + self.slot_size:
                count = min(CHUNK, slot + self.slot_size - offset)
                self.flash.write(offset, memoryview(self.chunk)[:count])
                offset += count
        self._new_writer().commit()  # it syncs the zeros before it writes its header

    def _new_writer(self):
        self._retire(self._previous)
        self._end_writer()
        if self.current is None:
            slot = self._first_slot
        else:
            slot = self.slot_size if self.current.slot == 0 else 0
        self._writer = Writer(self, slot)
        return self._writer

    def _end_writer(self):
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _retire(self, stored):
        if stored is not None:
            stored.slot = None

    def check_writer(self, writer):
        """For Writer: raises ValueError if this writer has ended."""
        if self._writer is not writer:
            raise ValueError("this writer has ended, or another one has begun")

    def check_current(self):
        """For Writer: raises TrustLost if the current state is damaged. A copy in the next state would give the damaged bytes a
        good digest."""
        if not self._payload_is_whole(self.current):
            self._state = "What this phone had stored was damaged while it ran; restart it."
            raise TrustLost(self._state)

    def committed(self, stored):
        """For Writer: this state is on the medium now."""
        self._previous = self.current
        self.current = stored
        self.generation = stored.generation
        self._writer = None
        if self._previous is None:
            self._write_marks()

    def _write_marks(self):
        self.sector[:] = MARK + bytes(SECTOR - len(MARK))
        try:
            self.flash.write(MARK_OFFSET, self.sector)
            self.flash.write(self.slot_size + MARK_OFFSET, self.sector)
            self.flash.sync()
        except OSError:
            pass  # the state itself is on the medium; the next load() tries again

    def _read_mark(self, slot):
        try:
            self.flash.read_into(slot + MARK_OFFSET, self.sector)
        except OSError:
            return "unreadable"
        if is_blank(self.sector):
            return "blank"
        return "mark" if self.sector[: len(MARK)] == MARK else "damaged"

    def _read_header(self, slot):
        """(kind, Stored or None); kind is "whole", "blank", "damaged" or "unreadable"."""
        try:
            self.flash.read_into(slot, self.sector)
        except OSError:
            return "unreadable", None
        if is_blank(self.sector):
            return "blank", None
        stored = read_header(self.sector, self.flash, slot, self.crypto)
        if stored is None or stored.size > self.capacity:
            return "damaged", None
        return "whole", stored

    def _payload_is_whole(self, stored):
        running = self.crypto.digest_stream("sha256")
        try:
            offset = 0
            while offset < stored.size:
                part = memoryview(self.chunk)[: min(CHUNK, stored.size - offset)]
                stored.read_part(offset, part)
                running.update(part)
                offset += len(part)
            return running.digest() == stored.digest
        except OSError:
            return False
        finally:
            running.close()


class Writer:
    """Writes the next state, section by section. Nothing counts before commit(). Store.writer() makes it."""

    def __init__(self, store, slot):
        self._store = store
        self._slot = slot
        self._directory = []
        self._size = 0
        self._checked = False
        self._running = store.crypto.digest_stream("sha256")

    def begin(self, name):
        """Begin a section, which write() fills. Raises ValueError if the section exists already, or if there are too many."""
        tag = section_number(name)
        if tag in [known for known, _, _ in self._directory] or len(self._directory) == MAXIMUM_SECTIONS:
            raise ValueError("section %s: twice, or more than %d sections" % (name, MAXIMUM_SECTIONS))
        self._directory.append((tag, self._size, 0))

    def write(self, data):
        """Add bytes to the section that was begun last. Raises OSError if the flash fails or the bytes do not fit (ENOSPC), and
        ValueError if this writer has ended or no section was begun."""
        store = self._store
        store.check_writer(self)
        if not self._directory:
            raise ValueError("write before begin")
        count = len(data)
        if count > store.capacity - self._size:
            raise OSError(NO_SPACE, "the store has room for %d bytes" % store.capacity)
        if not count:
            return
        store.flash.write(self._slot + PAYLOAD_OFFSET + self._size, data)
        self._running.update(data)
        self._size += count
        tag, offset, length = self._directory[-1]
        self._directory[-1] = (tag, offset, length + count)

    def add(self, name, data):
        """Add a whole section. Errors as begin and write."""
        self.begin(name)
        self.write(data)

    def keep(self, name):
        """Copy a section of the current state, if there is one. Raises TrustLost if the state was damaged since it was loaded;
        other errors as begin and write."""
        store = self._store
        found = store.current.find(name) if store.current else None
        if found is None:
            return
        if not self._checked:
            store.check_current()
            self._checked = True
        self.begin(name)
        offset, length = found
        end = offset + length
        while offset < end:
            part = memoryview(store.chunk)[: min(CHUNK, end - offset)]
            store.current.read_part(offset, part)
            self.write(part)
            offset += len(part)

    def close(self):
        """Give up. The state stays as it is. A new writer does the same to this one."""
        self._running.close()

    def commit(self):
        """Make what was written the current state, and return it as Stored. Raises OSError if the flash fails; the old state
        stays."""
        store = self._store
        store.check_writer(self)
        store.flash.sync()
        digest = self._running.digest()
        stored = Stored(store.flash, self._slot, store.generation + 1, self._directory, self._size, digest)
        write_header(stored, store.sector, store.crypto)
        store.flash.write(self._slot, store.sector)
        store.flash.sync()
        store.committed(stored)
        return stored
