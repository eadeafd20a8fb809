# SPDX-License-Identifier: MIT
"""Power lost at every write of an update of the phone's software, the phone's own writes and the boot loader's, in every manner:
the phone always starts, has all of its trust, and ends with the new load, or with the old one where the new one is broken."""

import time

from hal.fake.flash import FakeFlash, PowerLost
from tests.helpers.agent.fake_card import FakeCard
from tests.helpers.agent.load_world import NEW, RUNNING, SLOT, LoadWorld, cluster, load
from tests.helpers.agent.phone_world import FLASH
from tests.torture.tally import Tally

#: restarts until a phone has come to rest
RESTARTS = 8
#: name -> the loads that never get as far as to run the agent
SCENARIOS = {"update of the software": (), "update to a broken load": (NEW,)}


def run(manners):
    """A line for both scenarios; manners: [(name, options of FakeFlash)]."""
    tally = Tally("power: a cut at every write of a load update", "writes of the phone and of the boot loader.")
    tally.rows = [("scenario", "writes", "cuts", "lost")]
    before = LoadWorld(cluster("none"))
    assert not before.go_on() and before.trust.itl is not None
    content = bytes(before.card.flash.data)
    for name, broken in SCENARIOS.items():
        writes = updated(FakeFlash(content=content), broken).card.flash.writes
        cases, lost = tally.cases, tally.lost
        for at in range(1, writes + 1):
            for manner, options in manners:
                begun = time.monotonic()
                fault = cut(content, at, options, broken)
                took = time.monotonic() - begun
                if fault:
                    tally.lose(f"power: {name}, write {at}, {manner}: {fault}", took)
                else:
                    tally.survive(took)
        tally.rows.append((name, writes, tally.cases - cases, tally.lost - lost))
    return tally


def updated(flash, broken):
    """The world of a phone that has come to rest, with a load to take. PowerLost."""
    world = LoadWorld(cluster("new"), FakeCard(FLASH, SLOT, flash))
    world.broken = broken
    world.update(RESTARTS)
    return world


def cut(content, at, options, broken):
    """What is wrong after a cut at this write, or None."""
    flash = FakeFlash(content=content, lose_power_at=at, **options)
    try:
        updated(flash, broken)
    except PowerLost:
        pass
    try:
        world = updated(flash.after_power_loss(), broken)
    except AssertionError as error:
        return str(error)
    if world.trust.lost or not world.trust.itl.is_same(load("itl.tlv")):
        return "trust is lost"
    wanted = RUNNING if broken else NEW
    if world.running != wanted:
        return f"{world.running} runs in the end"
    if world.power_on() or world.running != wanted or world.loads.boot != "normal":
        return f"it does not stay at {wanted}"
    return None
