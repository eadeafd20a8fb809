# SPDX-License-Identifier: MIT
"""A server cannot wear out the flash: two valid lists in turn are written only so often in an hour."""

from agent.flash.writes import HOUR, WRITES_AN_HOUR, CountedStore, TooManyWrites
from hal.fake import FakeClock
from tests.helpers.agent.both import raises, vector
from tests.helpers.agent.clusters import cluster
from tests.helpers.agent.phone_world import World

LISTS = ("itl-base.tlv", "itl-sha512.tlv")


class CountingStore:
    """A store that counts what it is told to do."""

    def __init__(self):
        self.saved = self.erased = 0

    def save(self, changes):
        self.saved += 1

    def erase(self):
        self.erased += 1


def test_two_lists_in_turn_are_written_so_often_an_hour_and_no_more():
    world = World(cluster())
    assert world.boot()
    before = world.hal.flash.writes
    told = []
    for number in range(2 * WRITES_AN_HOUR):
        world.files["ITLFile.tlv"] = vector(LISTS[(number + 1) % 2])
        world.reported.clear()
        world.boot()
        told += [one for one in world.reported if one.reason == "too-many-writes"]
    assert len(told) > 10  # a list that is the installed one needs no write
    assert told[0].kind == "itl" and not told[0].accepted and "last hour" in told[0].text
    assert world.store.written <= WRITES_AN_HOUR
    at_most = world.hal.flash.writes - before
    assert world.trust.itl.is_same(world.stored()[1]), "what is not stored is not used"
    world.hal.clock.now += HOUR
    world.reported.clear()
    world.files["ITLFile.tlv"] = vector(LISTS[0] if world.stored()[1] == vector(LISTS[1]) else LISTS[1])
    assert world.boot(), world.reasons()
    assert world.hal.flash.writes - before > at_most, "an hour later it is written again"


def test_the_hour_moves_and_a_person_may_always_erase():
    clock, inside = FakeClock(), CountingStore()
    store = CountedStore(inside, clock)
    for _ in range(WRITES_AN_HOUR):
        store.save({})
        clock.now += 60000
    error = raises(TooManyWrites, store.save, {})
    assert error.reason == "too-many-writes" and "again in 31 min" in str(error), str(error)
    assert inside.saved == WRITES_AN_HOUR
    store.erase()
    assert inside.erased == 1
    clock.now += HOUR // 2
    store.save({})
    raises(TooManyWrites, store.save, {})
    assert inside.saved == WRITES_AN_HOUR + 1 and store.written == WRITES_AN_HOUR + 2
