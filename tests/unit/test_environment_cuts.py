# SPDX-License-Identifier: MIT
"""U-Boot's environment torn in each of its writes, the agent's and the boot loader's: the words are the old ones or
the new ones, and the boot loader has a slot to start with either."""

from agent.flash.bootstate import BootState
from agent.formats import bootenv
from hal.fake.flash import FakeFlash
from tests.helpers.agent.both import MICROPYTHON
from tests.helpers.agent.fake_card import FakeCard

TIMEOUT = 300
STORE, SLOT = 512, 512
SECTOR = 512
#: What a copy held before that is no copy: a new card's bytes, zeros, and what a worn card may give.
NO_COPY = (b"\xff", b"\0", b"\xa5")
HEAP = "4m"
#: Bytes between two cuts behind the first sector, where all words stand and which is cut at each byte, and orders of sectors:
#: under emulation a checksum takes a hundred times as long.
STEP, ORDERS = (127, 50) if not MICROPYTHON else (4093, 2)


def started(card, good=("a", "b")):
    """(slot, boot) of a start from a copy of this card; None where none of the slots in `good` can be started."""
    copied = FakeCard(STORE, SLOT, FakeFlash(content=card.flash.data))
    found = copied.start(lambda slot: [name for name in copied.slots if copied.slots[name] is slot][0] in good)
    return found and (found.running, found.boot)


def content(copy):
    """The bytes of one copy of the environment."""
    data = bytearray(bootenv.SIZE)
    copy.read_into(0, data)
    return bytes(data)


def cut_everywhere(card, change):
    """change() writes the environment once. Every way in which that write can be cut leaves the old words or the new ones;
    the card has the new ones then."""
    state = BootState(card.environment)
    before = [content(copy) for copy in card.environment]
    old = card.words()
    assert started(card) is not None
    change()
    new = card.words()
    assert started(card) is not None and new != old
    assert card.flash.unsynced() == 0, "it is on the medium before anything follows from it"
    after = [content(copy) for copy in card.environment]
    written = [number for number in (0, 1) if before[number] != after[number]]
    assert len(written) == 1, "one copy at a time"
    was, is_now, copy = before[written[0]], after[written[0]], card.environment[written[0]]
    last = bootenv.SIZE
    while was[last - 64 : last] == is_now[last - 64 : last]:
        last -= 64  # behind it nothing changes
    seen = []
    for count in (
        list(range(0, min(last, SECTOR), 1 if not MICROPYTHON else 37)) + list(range(SECTOR, last, STEP)) + [last]
    ):
        copy.write(0, is_now[:count] + was[count:])
        copy.sync()
        found = state.words()
        assert found in (old, new), (count, found)
        seen.append(found == new)
    assert seen == sorted(seen) and not seen[0] and seen[-1], "old up to some byte, new from there on"
    random = 1
    for _ in range(ORDERS):  # sectors come to the medium in any order
        mixed = bytearray(was)
        for start in range(0, bootenv.SIZE, SECTOR):
            random = (random * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
            if random >> 63:
                mixed[start : start + SECTOR] = is_now[start : start + SECTOR]
        copy.write(0, mixed)
        copy.sync()
        assert state.words() in (old, new) and card.words() == state.words(), "both read the same"
    copy.write(0, is_now)
    card.flash.sync()


def updates(card, rounds=1):
    """All writes of an update that is confirmed and of one that is not, one after the other."""
    state = BootState(card.environment)
    for _ in range(rounds):
        for change, expected in (
            (lambda: state.start_trial("a"), None),
            (lambda: card.start(lambda slot: True), ("b", "trial")),
            (lambda: state.confirm("b"), None),
            (lambda: state.start_trial("b"), None),
            (lambda: card.start(lambda slot: True), ("a", "trial")),
            (lambda: card.start(lambda slot: True), ("a", "trial")),
            (lambda: card.start(lambda slot: True), ("b", "unconfirmed")),
            (lambda: state.confirm("b"), None),
            (lambda: state.confirm("a"), None),
        ):
            if expected is not None:
                assert started(card) == expected
            cut_everywhere(card, change)


def test_each_write_of_an_update_cut_at_each_byte():
    card = FakeCard(STORE, SLOT)
    updates(card)
    assert card.words() == {"slot": "a"}


def test_a_copy_that_was_none_before_it_is_written():
    for number in (0, 1):
        for filler in NO_COPY if not MICROPYTHON else NO_COPY[number : number + 1]:
            card = FakeCard(STORE, SLOT)
            card.environment[number].write(0, filler * bootenv.SIZE)
            card.environment[1 - number].write(0, bootenv.encode(255, {"slot": "a"}))
            card.flash.sync()
            state = BootState(card.environment)
            cut_everywhere(card, lambda state=state: state.start_trial("a"))
            assert started(card) == ("b", "trial") and started(card, "a") == ("a", "refused")


def test_the_first_write_where_no_copy_is_whole():
    for filler in NO_COPY:
        card = FakeCard(STORE, SLOT)
        for copy in card.environment:
            copy.write(0, filler * bootenv.SIZE)
        card.flash.sync()
        assert card.words() == {} and started(card) == ("a", "normal")
        state = BootState(card.environment)
        cut_everywhere(card, lambda state=state: state.confirm("b"))
        assert started(card) == ("b", "normal") and started(card, "a") == ("a", "fallback")


def test_the_counter_goes_round_while_it_is_cut():
    card = FakeCard(STORE, SLOT)
    card.environment[0].write(0, bootenv.encode(253, {"slot": "a"}))
    card.environment[1].write(0, bootenv.encode(252, {"slot": "b"}))
    card.flash.sync()
    updates(card)


def test_the_boot_loaders_word_about_a_refused_slot():
    card = FakeCard(STORE, SLOT)
    state = BootState(card.environment)
    state.start_trial("a")
    card.flash.sync()
    copied = FakeCard(STORE, SLOT, FakeFlash(content=card.flash.data))
    assert started(copied, "a") == ("a", "refused")
    card.start(lambda slot: slot is card.slots["a"])
    assert card.words() == {"slot": "a", "upgrade_available": "0", "bootcount": "1", "rolled_back": "refused"}
    cut_everywhere(card, lambda: state.confirm("a"))
