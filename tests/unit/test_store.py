# SPDX-License-Identifier: MIT
"""The store: what it gives back, also after a loss of power at any write."""

from agent.errors import TrustLost
from agent.flash.slot import MARK_OFFSET, PAYLOAD_OFFSET, decode_servers, encode_servers
from agent.flash.store import Store
from hal.fake.flash import FakeFlash, PowerLost
from tests.helpers.agent.both import crypto, raises

SIZE = 2 * (PAYLOAD_OFFSET + 16384)
HALF = SIZE // 2

STATES = [
    {"itl": b"first list" * 500, "configuration-name": b"SEP00270DC01C92.cnf.xml.sgn"},
    {"itl": b"second list" * 300, "ctl": b"\0" * 700},
    {"itl": b"third list" * 700, "lsc": b"certificate", "lsc-key": b"key"},
]
FRACTIONS = (0, 0.02, 0.25, 0.5, 0.9, 1)


def content(stored):
    """All sections of a state as a dict, None for none."""
    return None if stored is None else dict((name, bytes(stored.read(name))) for name in stored.names())


def loaded(flash):
    """What a phone that starts with this flash finds; "lost" for trust-lost."""
    try:
        return content(Store(flash, crypto()).load())
    except TrustLost:
        return "lost"


def used(saves, size=SIZE):
    """A flash after so many saves, and the state it holds."""
    flash = FakeFlash(size)
    store = Store(flash, crypto())
    assert store.load() is None
    state = None
    for changes in STATES[:saves]:
        store.save(changes)
        state = merged(state, changes)
    assert content(Store(flash, crypto()).load()) == state
    return flash, state


def merged(state, changes):
    new = dict(state or {})
    for name in changes:
        new[name] = changes[name]
    return new


def masks(unsynced):
    """Which of so many unsynced writes survive: all subsets of few, else each alone, each missing, halves."""
    if unsynced <= 4:
        return list(range(1 << unsynced))
    whole = (1 << unsynced) - 1
    single = [1 << i for i in range(unsynced)]
    return [0, whole, 0x5555 & whole, 0xAAAA & whole] + single + [whole ^ bit for bit in single]


def cut_everywhere(flash, operation, old, new, check=None):
    """Lose power at every write of `operation`, in every manner: always the old or the new state, and usable."""
    start = bytes(flash.data)
    seen = []
    at = 0
    while True:
        at += 1
        trial = FakeFlash(content=start, lose_power_at=at)
        try:
            operation(Store(trial, crypto()))
        except PowerLost:
            pass
        if not trial.lost:
            assert loaded(trial) == new
            break
        for mask in masks(trial.unsynced()):
            for fraction in FRACTIONS:
                trial = FakeFlash(content=start, lose_power_at=at, torn=fraction, survivors=mask)
                raises(PowerLost, operation, Store(trial, crypto()))
                after = trial.after_power_loss()
                state = loaded(after)
                assert state == old or state == new, (at, mask, fraction, state)
                if state not in seen:
                    seen.append(state)
                if check:
                    check(after, state)
                if fraction == 0.5:
                    Store(after, crypto()).save({"configuration": b"it goes on"})
                    assert loaded(after) == merged(state, {"configuration": b"it goes on"})
    assert old in seen and new in seen, "the cuts did not reach both states"
    return at - 1


def test_blank_flash_is_factory_new():
    for blank in (b"\0", b"\xff"):
        assert loaded(FakeFlash(content=blank * SIZE)) is None


def test_a_saved_state_is_loaded_again():
    flash, state = used(3)
    stored = Store(flash, crypto()).load()
    assert content(stored) == state
    assert stored.generation == 3
    assert stored.length("itl") == 7000 and stored.length("tvs-servers") is None
    assert stored.read("tvs-servers") is None
    buffer = bytearray(8000)
    assert stored.read_into("itl", buffer) == 7000
    assert buffer[:7000] == STATES[2]["itl"] and buffer[7000:] == bytes(1000)
    raises(ValueError, stored.read_into, "itl", bytearray(6999))


def test_sections_not_named_are_kept_and_the_value_none_removes():
    flash, state = used(2)
    store = Store(flash, crypto())
    store.load()
    stored = store.save({"ctl": None, "tvs-servers": encode_servers([("ucm.example", 2445)])})
    assert sorted(stored.names()) == ["configuration-name", "itl", "tvs-servers"]
    assert stored.read("itl") == STATES[1]["itl"]
    assert decode_servers(stored.read("tvs-servers")) == [("ucm.example", 2445)]
    assert decode_servers(None) == []


def test_an_empty_section_is_there():
    store = Store(FakeFlash(SIZE), crypto())
    store.load()
    store.save({"configuration": b"", "itl": b"x"})
    stored = store.load()
    assert stored.length("configuration") == 0 and stored.read("configuration") == b""


def test_power_lost_at_each_write_of_the_first_save():
    flash, old = used(0)
    cut_everywhere(flash, lambda store: store.save(STATES[0]), None, STATES[0])


def test_power_lost_at_each_write_of_the_first_save_on_zeroed_flash():
    cut_everywhere(FakeFlash(content=bytes(SIZE)), lambda store: store.save(STATES[0]), None, STATES[0])


def test_power_lost_at_each_write_of_the_second_save():
    flash, old = used(1)
    cut_everywhere(flash, lambda store: store.save(STATES[1]), old, merged(old, STATES[1]))


def test_power_lost_at_each_write_of_the_third_save():
    flash, old = used(2)
    cut_everywhere(flash, lambda store: store.save(STATES[2]), old, merged(old, STATES[2]))


def test_power_lost_at_each_write_of_an_erase():
    for saves in (1, 2):
        flash, old = used(saves)
        assert cut_everywhere(flash, lambda store: store.erase(), old, None, check=nothing_is_left) > 4


def nothing_is_left(flash, state):
    """After an erase that counts, the next start has overwritten the old state, whichever writes were lost."""
    if state is None:
        assert b" list" not in flash.data


def test_power_lost_at_each_write_of_an_erase_out_of_trust_lost():
    flash, _ = used(2)
    flash.data[0:64] = b"\x55" * 64
    flash.data[HALF : HALF + 64] = b"\x55" * 64
    assert loaded(flash) == "lost"
    start = bytes(flash.data)
    trial, left = None, []
    while trial is None or trial.lost:
        at = len(left) // len(FRACTIONS) + 1
        for fraction in FRACTIONS:
            trial = FakeFlash(content=start, lose_power_at=at, torn=fraction)
            try:
                Store(trial, crypto()).erase()
            except PowerLost:
                pass
            left.append(loaded(trial.after_power_loss() if trial.lost else trial))
    lost = left.count("lost")
    assert 0 < lost < len(FRACTIONS), "the first write decides"
    assert left == ["lost"] * lost + [None] * (len(left) - lost) and len(left) > 6 * len(FRACTIONS)


def test_erase_leaves_no_byte_of_what_was_stored():
    flash, _ = used(3)
    assert b"key" in flash.data
    store = Store(flash, crypto())
    store.load()
    store.erase()
    assert loaded(flash) is None
    for word in (b"first list", b"second list", b"third list", b"key", b"certificate"):
        assert word not in flash.data
    store.save(STATES[0])
    assert loaded(flash) == STATES[0]


def test_an_erase_that_was_cut_is_finished_at_the_next_start():
    flash, _ = used(3)
    trial = FakeFlash(content=flash.data, lose_power_at=2)
    raises(PowerLost, Store(trial, crypto()).erase)
    after = trial.after_power_loss()
    assert b"third list" in after.data
    assert loaded(after) is None
    assert b"third list" not in after.data


def test_one_slot_destroyed_leaves_the_other():
    flash, newest = used(3)
    _, older = used(2)
    third, second = (0, HALF)
    for start, state in ((third, older), (second, newest)):
        for fill in (b"\0", b"\xff", b"\xa5"):
            damaged = FakeFlash(content=flash.data)
            damaged.data[start : start + HALF] = fill * HALF
            assert loaded(damaged) == state
            Store(damaged, crypto()).save({"configuration": b"again"})
            assert loaded(damaged) == merged(state, {"configuration": b"again"})


def test_damage_to_the_only_slot_is_never_first_use():
    flash, _ = used(1)
    for fill in (b"\0", b"\xff", b"\xa5"):
        for start, length in ((0, HALF), (0, 512), (0, 4096), (PAYLOAD_OFFSET, 100), (0, 50)):
            damaged = FakeFlash(content=flash.data)
            damaged.data[start : start + length] = fill * length
            assert loaded(damaged) == "lost", (fill, start, length)


def test_every_single_bit_of_a_header_counts():
    flash, _ = used(1)
    for place in range(216):
        damaged = FakeFlash(content=flash.data)
        damaged.data[place] ^= 1 << place % 8
        assert loaded(damaged) == "lost", place


def test_garbage_everywhere_is_trust_lost():
    garbage = bytes((i * 7 + (i >> 8) * 13 + 5) & 0xFF for i in range(SIZE))
    flash = FakeFlash(content=garbage)
    error = raises(TrustLost, Store(flash, crypto()).load)
    assert error.reason == "trust-lost"
    store = Store(flash, crypto())
    raises(TrustLost, store.save, STATES[0])
    assert flash.writes == 0
    store.erase()
    assert loaded(flash) is None
    store.save(STATES[0])
    assert loaded(flash) == STATES[0]


def test_flash_that_cannot_be_read_is_trust_lost():
    flash, state = used(1)
    flash.bad = [(0, SIZE)]
    assert loaded(flash) == "lost"
    flash.bad = [(HALF, SIZE)]
    assert loaded(flash) == state
    flash.bad = [(PAYLOAD_OFFSET, PAYLOAD_OFFSET + 512)]
    assert loaded(flash) == "lost"


def test_a_missing_mark_is_written_again():
    flash, state = used(1)
    flash.data[MARK_OFFSET : MARK_OFFSET + 512] = bytes(512)
    flash.data[HALF + MARK_OFFSET : HALF + MARK_OFFSET + 512] = bytes(512)
    assert loaded(flash) == state
    flash.data[0:512] = bytes(512)
    assert loaded(flash) == "lost"


def test_without_marks_only_a_cut_first_save_is_factory_new():
    flash, _ = used(1)
    for mark in (MARK_OFFSET, HALF + MARK_OFFSET):
        flash.data[mark : mark + 512] = bytes(512)
    whole_header = FakeFlash(content=flash.data)
    whole_header.data[PAYLOAD_OFFSET] ^= 1
    assert loaded(whole_header) == "lost"
    cut_header = FakeFlash(content=flash.data)
    cut_header.data[40:512] = b"\xff" * 472
    assert loaded(cut_header) is None
    two_headers = FakeFlash(content=cut_header.data)
    two_headers.data[HALF : HALF + 10] = b"0123456789"
    assert loaded(two_headers) == "lost"


def test_a_first_save_after_a_cut_one_may_be_cut_too():
    for damaged in (0, HALF):
        flash = FakeFlash(SIZE)
        flash.data[damaged : damaged + 40] = b"\x55" * 40
        cut_everywhere(flash, lambda store: store.save(STATES[0]), None, STATES[0])


def test_damage_while_running_is_not_copied_into_a_good_slot():
    flash, _ = used(1)
    store = Store(flash, crypto())
    store.load()
    flash.data[PAYLOAD_OFFSET + 10] ^= 1
    raises(TrustLost, store.save, {"configuration": b"x"})
    assert loaded(flash) == "lost"


def test_a_state_that_was_written_over_says_so():
    flash, first = used(1)
    store = Store(flash, crypto())
    stored = store.load()
    store.save({"configuration": b"one"})
    assert content(stored) == first
    store.save({"configuration": b"two"})
    raises(ValueError, stored.read, "itl")


def test_too_much_does_not_fit_and_changes_nothing():
    flash, state = used(1)
    store = Store(flash, crypto())
    store.load()
    error = raises(OSError, store.save, {"ctl": bytes(store.capacity)})
    assert error.args[0] == 28
    assert loaded(flash) == state
    store.save({"ctl": bytes(store.capacity - sum(len(state[name]) for name in state))})
    assert len(loaded(flash)["ctl"]) > 0


def test_a_region_too_small_is_a_mistake():
    raises(ValueError, Store, FakeFlash(2 * PAYLOAD_OFFSET), crypto())


def test_a_writer_streams_a_section_and_only_the_last_writer_counts():
    flash, state = used(1)
    store = Store(flash, crypto())
    store.load()
    first = store.writer()
    second = store.writer()
    raises(ValueError, first.add, "ctl", b"x")
    second.keep("itl")
    second.begin("configuration")
    for part in (b"<dev", b"", b"ice/>"):
        second.write(part)
    raises(ValueError, second.begin, "itl")
    raises(ValueError, second.begin, "no such section")
    assert loaded(flash) == state
    second.commit()
    raises(ValueError, second.commit)
    assert loaded(flash) == {"itl": state["itl"], "configuration": b"<device/>"}


def test_a_newer_versions_section_is_kept():
    store = Store(FakeFlash(SIZE), crypto())
    store.load()
    store.save({"section-99": b"from the future", "itl": b"list"})
    store.save({"itl": b"another"})
    assert content(store.load()) == {"section-99": b"from the future", "itl": b"another"}


def test_a_section_is_compared_without_being_read_whole():
    flash, state = used(3)
    stored = Store(flash, crypto()).load()
    for name in state:
        assert stored.holds(name, state[name]) and stored.holds(name, memoryview(bytearray(state[name])))
        assert not stored.holds(name, state[name] + b"x") and not stored.holds(name, state[name][:-1] + b"\xff")
    assert not stored.holds("configuration", b"")
