# SPDX-License-Identifier: MIT
"""The store where a header is whole but no header of this store, and what is over for good once the state has changed."""

import struct

from agent.errors import TrustLost
from agent.flash.slot import DIRECTORY_END, FIXED, MAGIC, MAXIMUM_SECTIONS, PAYLOAD_OFFSET, SECTOR
from agent.flash.store import Store
from hal.fake.flash import FakeFlash
from tests.helpers.agent.both import crypto, raises

SIZE = 2 * (PAYLOAD_OFFSET + 16384)
HALF = SIZE // 2


def saved(changes, size=SIZE):
    """(flash, store) after a first save."""
    flash = FakeFlash(size)
    store = Store(flash, crypto())
    store.load()
    store.save(changes)
    return flash, store


def lost(flash):
    """The sentence of the TrustLost that loading raises."""
    return str(raises(TrustLost, Store(flash, crypto()).load))


def rewritten(flash, magic=MAGIC, count=None):
    """A copy whose first header has another magic or count, with a digest that fits."""
    data = bytearray(flash.data)
    _, generation, length, sections, digest = struct.unpack_from(FIXED, data, 0)
    struct.pack_into(FIXED, data, 0, magic, generation, length, sections if count is None else count, digest)
    found = crypto().digest("sha256", bytes(data[:DIRECTORY_END]))
    data[DIRECTORY_END : DIRECTORY_END + len(found)] = found
    return FakeFlash(content=data)


class Counting:
    """The crypto of a store that counts the digests that were begun and not given back."""

    def __init__(self):
        self.real = crypto()
        self.digest = self.real.digest
        self.open = 0

    def digest_stream(self, algorithm):
        self.open += 1
        return Running(self, self.real.digest_stream(algorithm))


class Running:
    def __init__(self, counting, real):
        self.counting = counting
        self.real = real
        self.update = real.update
        self.digest = real.digest
        self.closed = False

    def close(self):
        self.counting.open -= not self.closed
        self.closed = True
        self.real.close()


def test_a_header_with_a_good_digest_is_still_held_against_its_format():
    flash, _ = saved({"itl": b"list"})
    assert bytes(Store(rewritten(flash), crypto()).load().read("itl")) == b"list"
    for other in (
        rewritten(flash, magic=b"PHTRUST2"),
        rewritten(flash, count=MAXIMUM_SECTIONS + 1),
        rewritten(flash, count=0),
    ):
        assert "headers: damaged, blank" in lost(other)


def test_as_many_sections_as_a_header_has_room_for():
    sections = {"section-%d" % (50 + number): bytes([number]) for number in range(MAXIMUM_SECTIONS)}
    flash, store = saved(sections)
    found = Store(flash, crypto()).load()
    assert {name: bytes(found.read(name)) for name in found.names()} == sections
    raises(ValueError, store.save, {"itl": b"one more"})


def test_a_header_is_one_sector_and_zeros_after_what_it_says():
    sections = {"section-%d" % (50 + number): b"x" for number in range(MAXIMUM_SECTIONS)}
    flash, store = saved(sections)
    store.save(dict([(name, None) for name in sections]))
    store.save({"itl": b"list"})
    assert len(store.sector) == SECTOR
    used = 56 + 8  # what is fixed, and one section
    assert flash.data[used:DIRECTORY_END] == bytes(DIRECTORY_END - used)
    assert flash.data[DIRECTORY_END + 32 : SECTOR] == bytes(SECTOR - DIRECTORY_END - 32)


def test_a_state_that_is_longer_than_this_slot_is_damaged():
    flash, _ = saved({"itl": b"x" * 12000})
    small = 2 * (PAYLOAD_OFFSET + 4096)
    assert "headers: damaged" in lost(FakeFlash(content=flash.data[:small]))


def test_the_sentence_says_what_could_not_be_read():
    flash, _ = saved({"itl": b"list"})
    flash.bad = [(0, SECTOR)]
    assert "headers: unreadable, blank" in lost(flash)
    flash.bad = [(0, SECTOR), (HALF, HALF + SECTOR)]
    assert "headers: unreadable, unreadable" in lost(flash)


def test_marks_are_on_the_medium_when_the_first_save_ends():
    flash, _ = saved({"itl": b"list"})
    assert flash.unsynced() == 0


def test_nothing_is_written_out_of_trust_lost_but_an_erase():
    flash, _ = saved({"itl": b"list"})
    flash.data[0] ^= 1
    store = Store(flash, crypto())
    said = str(raises(TrustLost, store.load))
    writes = flash.writes
    for _ in range(2):
        assert str(raises(TrustLost, store.save, {"itl": b"x"})) == said
    assert flash.writes == writes


def test_damage_that_was_found_once_is_not_forgotten():
    flash, store = saved({"itl": b"list"})
    flash.data[PAYLOAD_OFFSET] ^= 1
    for _ in range(2):
        assert "damaged while it ran" in str(raises(TrustLost, store.save, {"configuration": b"x"}))
    flash.data[PAYLOAD_OFFSET] ^= 1
    assert "damaged while it ran" in str(raises(TrustLost, store.save, {"configuration": b"x"})), "until a restart"


def test_a_state_ends_when_it_is_read_anew_or_erased():
    _, store = saved({"itl": b"list"})
    first = store.load()
    newer = store.save({"ctl": b"list"})
    second = store.load()
    for ended in (first, newer):
        assert "written over" in str(raises(ValueError, ended.read, "itl"))
    third = store.save({"configuration": b"x"})
    store.erase()
    for ended in (second, third):
        assert "written over" in str(raises(ValueError, ended.read, "itl"))


def test_a_writer_ends_when_the_state_is_read_anew_or_another_writes():
    flash, store = saved({"itl": b"list"})
    for replace in (store.load, store.writer, lambda: store.save({"ctl": b"x"})):
        writer = store.writer()
        writer.begin("configuration")
        replace()
        writes = flash.writes
        for call, args in ((writer.write, (b"x",)), (writer.commit, ())):
            assert "has ended" in str(raises(ValueError, call, *args))
        assert flash.writes == writes


def test_a_section_that_is_not_there_is_not_kept():
    _, store = saved({"itl": b"list"})
    writer = store.writer()
    writer.keep("ctl")
    writer.keep("itl")
    assert list(writer.commit().names()) == ["itl"]


def test_no_digest_is_left_behind():
    counting = Counting()
    flash = FakeFlash(SIZE)
    store = Store(flash, counting)
    store.load()
    for _ in range(3):
        store.writer()
    assert counting.open == 1, "the last writer's"
    store.load()
    assert counting.open == 0
    store.writer().close()
    assert counting.open == 0


def test_a_difference_in_the_first_byte_is_a_difference():
    _, store = saved({"itl": b"list" * 400})
    stored = store.load()
    for place in (0, 1, SECTOR - 1, SECTOR, 1599):
        other = bytearray(b"list" * 400)
        other[place] ^= 1
        assert not stored.holds("itl", other), place
    assert stored.holds("itl", b"list" * 400)
