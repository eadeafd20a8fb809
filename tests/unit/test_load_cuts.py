# SPDX-License-Identifier: MIT
"""Power lost at every single write of an update, the phone's and the boot loader's, torn and reordered: it always starts, with
all of its trust, and the update is there in the end."""

from hal.fake.flash import FakeFlash, PowerLost
from tests.helpers.agent.both import MICROPYTHON
from tests.helpers.agent.fake_card import FakeCard
from tests.helpers.agent.load_world import CONFIGURATION, NEW, RUNNING, SLOT, LoadWorld, cluster, load
from tests.helpers.agent.phone_world import FLASH

HEAP = "24m"
TIMEOUT = 600
KINDS = (
    (False, None),
    (True, None),
    (0.9, 0),
    (0.02, lambda index: index % 2 == 0),
    (1, 0),
)  # (torn, which unsynced writes survive)


def kinds(at):
    """The kinds of loss that are tried at write `at`: under emulation one of them, everything takes a hundred times as long."""
    return KINDS if not MICROPYTHON else (KINDS[at % len(KINDS)],)


def fresh():
    """The card of a phone that runs, with the cluster's trust, before the update is named."""
    world = LoadWorld(cluster("none"))
    assert not world.go_on() and world.trust.itl is not None
    return bytes(world.card.flash.data)


def cut_update(content, at, torn, survivors, broken=(), limit=6):
    """The whole update with the power lost at write `at` -> the card as the next start finds it, None where nothing was cut."""
    flash = FakeFlash(content=content, lose_power_at=at, torn=torn, survivors=survivors)
    try:
        world = LoadWorld(cluster("new"), FakeCard(FLASH, SLOT, flash))
        world.broken = broken
        world.update(limit)
    except PowerLost:
        return flash.after_power_loss()
    return None


def trust_is_whole(world):
    return not world.trust.lost and world.trust.itl.is_same(load("itl.tlv"))


def test_an_update_survives_a_cut_at_each_write():
    content = fresh()
    at = 0
    cut = True
    while cut:
        at += 1
        for torn, survivors in kinds(at):
            flash = cut_update(content, at, torn, survivors)
            if flash is None:
                cut = False
                break
            world = LoadWorld(cluster("new"), FakeCard(FLASH, SLOT, flash))
            assert world.running in (RUNNING, NEW)
            world.update()
            assert trust_is_whole(world), at
            assert world.running == NEW and world.card.words()["slot"] == world.loads.running, at
            assert not world.power_on() and world.loads.boot == "normal" and world.running == NEW, at
    assert at > 10


def test_falling_back_survives_a_cut_at_each_write():
    content = fresh()
    at = 0
    cut = True
    while cut:
        at += 1
        for torn, survivors in kinds(at):
            flash = cut_update(content, at, torn, survivors, broken=(NEW,))
            if flash is None:
                cut = False
                break
            world = LoadWorld(cluster("new"), FakeCard(FLASH, SLOT, flash))
            world.broken = (NEW,)
            assert world.update(8) <= 8
            assert trust_is_whole(world) and world.running == RUNNING, at
            assert not world.power_on() and world.load_reasons() == ["load !load-failed"], at
    assert at > 12


def refusing(flash):
    """The world of a phone whose boot loader refuses the new load, as none of the maker's keys signed its image."""
    return LoadWorld(cluster("new"), FakeCard(FLASH, SLOT, flash), refused=(NEW,))


def test_a_slot_that_the_boot_loader_refuses_survives_a_cut_at_each_write():
    content = fresh()
    at = 0
    cut = True
    while cut:
        at += 1 if not MICROPYTHON else 4
        for torn, survivors in kinds(at):
            flash = FakeFlash(content=content, lose_power_at=at, torn=torn, survivors=survivors)
            try:
                refusing(flash).update()
                cut = False
                break
            except PowerLost:
                pass
            world = refusing(flash.after_power_loss())
            world.update()
            assert trust_is_whole(world) and world.running == RUNNING, at
            assert not world.power_on() and world.loads.boot == "normal", at
            assert world.load_reasons() == ["load !load-failed"] and world.card.words() == {"slot": "a"}, at
    assert at > 12


def test_two_cuts_in_a_row():
    content = fresh()
    for first in range(1, 16) if not MICROPYTHON else (6, 9):
        flash = cut_update(content, first, True, None)
        if flash is None:
            break
        for second in (1, 2, 3, 5, 7) if not MICROPYTHON else (2, 5):
            again = cut_update(bytes(flash.data), second, 0.5, 0)
            card = FakeCard(FLASH, SLOT, again if again is not None else FakeFlash(content=flash.data))
            world = LoadWorld(cluster("new"), card)
            world.update()
            assert trust_is_whole(world) and world.running == NEW, (first, second)


def test_an_update_does_not_touch_what_it_need_not():
    world = LoadWorld(cluster("new"))
    world.files[CONFIGURATION] = load("none.cnf.xml.sgn")
    assert not world.go_on()
    running = bytearray(SLOT)
    world.card.slots["a"].read_into(0, running)
    world.files[CONFIGURATION] = load("new.cnf.xml.sgn")
    assert world.power_on()
    after = bytearray(SLOT)
    world.card.slots["a"].read_into(0, after)
    assert after == running
