# SPDX-License-Identifier: MIT
"""Boots on a flash that fails or loses power at each write in turn: the old state or the new one, never first-use."""

from hal.fake import FakeFlash, PowerLost
from tests.helpers.agent.both import vector
from tests.helpers.agent.clusters import OWN, SIGNED, body, cluster
from tests.helpers.agent.phone_world import FLASH, World, own_pair

HEAP = "8m"  # for the copies of flash that these tests keep; tests/unit/test_memory.py is about memory
EIO = 5
ENCRYPTED = OWN + ".enc.sgn"
PAIR = own_pair()


class FailingFlash(FakeFlash):
    """Writes from number `first` on fail, `count` of them."""

    first = count = 0

    def write(self, offset, data):
        if self.first <= self.writes + 1 < self.first + self.count:
            self.writes += 1
            raise OSError(EIO)
        FakeFlash.write(self, offset, data)


OLD = (vector("ctl-mixed.tlv"), vector("itl-base.tlv"), SIGNED.encode(), body("cfg-sha512.cnf.xml.sgn"))


def old_flash():
    """The flash of a phone that has booted; size as of the fake HAL."""
    world = World(cluster(ctl="ctl-mixed.tlv"))
    assert world.boot()
    assert world.stored() == OLD
    return bytes(world.hal.flash.data)


def changed():
    """What the cluster serves after a change of its ITL and of the configuration."""
    files = cluster("itl-sha512.tlv", "ctl-mixed.tlv")
    files[SIGNED] = vector(SIGNED)  # sends to the encrypted one
    files[ENCRYPTED] = vector(ENCRYPTED)
    return files


def new_state():
    return (OLD[0], vector("itl-sha512.tlv"), ENCRYPTED.encode(), vector(OWN))


def cut(flash, files):
    """Boot until the power goes; the flash as the next start finds it, None where it did not go."""
    world = World(files, flash, PAIR)
    try:
        world.boot()
    except PowerLost:
        return flash.after_power_loss()
    return None


def test_power_lost_at_each_write_of_the_first_boot():
    """Each save takes eight to ten writes, and the last write of a save is not needed for it to count."""
    files = cluster(ctl="ctl-mixed.tlv")
    states = [(None,) * 4, OLD[:1] + (None,) * 3, OLD[:2] + (None,) * 2]
    reasons = [
        ["ctl first-use", "itl signed-by-ctl"],
        ["ctl unchanged", "itl signed-by-ctl"],
        ["ctl unchanged", "itl unchanged"],
    ]
    seen = []
    while True:
        at = len(seen) + 1
        flash = cut(FakeFlash(FLASH, lose_power_at=at, torn=at % 2 == 0), files)
        if flash is None:
            break
        world = World(files, flash, PAIR)
        seen.append(states.index(world.stored()))
        assert world.boot() is True, (at, world.reasons())
        assert world.reasons() == reasons[seen[-1]] + [SIGNED + " signed-by-ctl"], at
        assert world.stored() == OLD
    assert seen == sorted(seen) and set(seen) == {0, 1, 2}, "a later cut never leaves an older state"


def test_power_lost_at_each_write_of_a_change():
    content = old_flash()
    new = new_state()
    states = [OLD, OLD[:1] + new[1:2] + OLD[2:], new]
    seen = []
    while True:
        at = len(seen) + 1
        flash = cut(FakeFlash(content=content, lose_power_at=at, torn=at % 2 == 0), changed())
        if flash is None:
            break
        world = World(changed(), flash, PAIR)
        seen.append(states.index(world.stored()))
        assert world.boot() is True
        itl = "itl unchanged" if seen[-1] else "itl signed-by-ctl"
        assert world.reasons() == ["ctl unchanged", itl, SIGNED + " signed-by-ctl", ENCRYPTED + " signed-by-ctl"], at
        assert world.stored() == new
    assert seen == sorted(seen) and set(seen) == {0, 1, 2}, "a later cut never leaves an older state"


def test_writes_that_fail():
    content = old_flash()
    new = new_state()
    first = 0
    failed = []
    while True:
        first += 1
        flash = FailingFlash(content=content)
        flash.first, flash.count = first, 1
        world = World(changed(), flash, PAIR)
        good = world.boot()
        if good and flash.writes < first:
            break
        assert not good, first
        of_itl = world.reasons()[1] == "itl !not-stored"
        failed.append("itl" if of_itl else "configuration")
        expected = ["itl !not-stored" if of_itl else "itl signed-by-ctl", SIGNED + " signed-by-ctl"]
        expected.append(ENCRYPTED + (" signed-by-ctl" if of_itl else " !not-stored"))
        assert world.reasons() == ["ctl unchanged"] + expected, first
        assert world.trust.itl.is_same(OLD[1] if of_itl else new[1]), "what is not stored is not used"
        assert world.stored() == (OLD[:2] + new[2:] if of_itl else OLD[:1] + new[1:2] + OLD[2:]), first
        assert world.restart() is True, "the next boot succeeds"
        assert world.stored() == new
    half = failed.count("itl")
    assert failed == ["itl"] * half + ["configuration"] * (len(failed) - half) and 4 < half < len(failed) - 4


def test_a_flash_that_takes_nothing():
    flash = FailingFlash(FLASH)
    flash.first, flash.count = 1, 1 << 30
    world = World(cluster(), flash)
    assert world.boot() is False
    assert world.reasons() == ["ctl not-found", "itl !not-stored", OWN + " !not-found"]
    assert world.trust.itl is None, "what is not stored is not used"
    assert "could not be written" in world.reported[1].text


def test_a_store_that_is_too_small():
    world = World(cluster(), FakeFlash(32768))
    before = bytes(world.hal.flash.data)
    world.files["ITLFile.tlv"] = vector("itl-sha512.tlv")
    world.boot()
    assert world.reasons()[1] == "itl !not-stored" and world.trust.itl is None
    assert bytes(world.hal.flash.data)[:8] == before[:8]


def damage(flash):
    """The payload of both slots, so that nothing is whole any more."""
    half = flash.size // 2
    for slot in (0, half):
        for at in range(slot + 2000, slot + 12000):
            flash.data[at] ^= 0x55


def test_damaged_flash_is_lost_trust():
    flash = FakeFlash(content=old_flash())
    damage(flash)
    before = bytes(flash.data)
    world = World(cluster(ctl="ctl-mixed.tlv"), flash)
    assert world.boot() is False
    assert world.reasons() == ["flash !trust-lost"]
    assert world.server.asked == [], "nothing is fetched that would be refused anyway"
    assert world.trust.lost and world.phone.tvs.servers == []
    assert bytes(flash.data) == before
    assert world.judge_server("tvs", b"x").reason == "trust-lost"


def test_lost_trust_stays_until_it_is_erased():
    flash = FakeFlash(content=old_flash())
    damage(flash)
    world = World(cluster(ctl="ctl-mixed.tlv"), flash)
    for _ in range(2):
        assert world.restart() is False
        assert world.reasons() == ["flash !trust-lost"]
    decision = world.erase("all")
    assert decision.accepted and decision.reason == "erased"
    assert not world.trust.lost and world.trust.itl is None
    assert world.restart() is True
    assert world.reasons()[0] == "ctl first-use"


def test_an_installed_list_that_cannot_be_read_any_more():
    world = World(cluster())
    world.store.load()
    world.store.save({"itl": b"something else"})
    assert world.restart() is False
    assert world.reasons() == ["flash !trust-lost"]
    assert "detail" in world.reported[0].evidence


def test_damage_while_the_phone_runs():
    world = World(cluster(ctl="ctl-mixed.tlv"))
    world.boot()
    damage(world.hal.flash)
    world.files.update(changed())
    world.reported.clear()
    decision = world.fetch_list("itl")
    assert decision.reason == "trust-lost" and decision.accepted is False
    assert world.fetch_configuration().reason == "trust-lost"
    erased = world.erase("itl")
    assert (erased.accepted, erased.reason) == (True, "erased"), "a person may always begin anew"
    assert not world.trust.lost and world.trust.itl is None and world.trust.ctl is None
    assert world.stored() == (None,) * 4, "damaged flash is erased as a whole"


def test_a_flash_that_cannot_be_read_while_the_phone_runs():
    world = World(cluster(ctl="ctl-mixed.tlv"))
    world.boot()
    world.hal.flash.bad = [(0, world.hal.flash.size)]
    world.files.update(changed())
    for decision in (world.fetch_list("itl"), world.fetch_configuration()):
        assert (decision.accepted, decision.reason) == (False, "trust-lost")
    assert world.restart() is False and world.reasons() == ["flash !trust-lost"]


def test_erasing_one_list():
    world = World(cluster(ctl="ctl-mixed.tlv"))
    world.boot()
    assert world.erase("ctl").reason == "erased"
    assert world.trust.ctl is None and world.trust.itl.count == 5
    assert world.stored()[:2] == (None, OLD[1])
    assert world.erase("itl").reason == "erased"
    assert world.stored()[:2] == (None, None)
    world.files["ITLFile.tlv"] = vector("itl-othercluster.tlv")
    assert world.fetch_list("itl").reason == "first-use"


def test_erasing_where_the_flash_fails():
    flash = FailingFlash(content=old_flash())
    world = World(cluster(), flash)
    world.load()
    flash.first, flash.count = 1, 1 << 30
    for what in ("itl", "all"):
        decision = world.erase(what)
        assert decision.reason == "not-stored" and decision.accepted is False and "Nothing was erased" in decision.text
    flash.count = 0
    assert world.stored() == OLD


def test_power_lost_while_erasing():
    content = old_flash()
    seen = []
    while True:
        at = len(seen) + 1
        flash = FakeFlash(content=content, lose_power_at=at, torn=at % 2 == 0)
        world = World(cluster(), flash)
        world.load()
        try:
            world.erase("all")
            break
        except PowerLost:
            pass
        seen.append([OLD, (None,) * 4].index(World({}, flash.after_power_loss()).stored()))
    assert seen == sorted(seen) and set(seen) == {0, 1}, "whole, then gone, and never between"


def test_plain_configuration_is_stored_too():
    world = World({OWN: vector(OWN)})
    assert world.boot()
    writes = world.hal.flash.writes
    assert world.restart() and world.hal.flash.writes == writes
    world.files[OWN] = vector(OWN).replace(b"<deviceSecurityMode>1", b"<deviceSecurityMode>2")
    assert world.restart() and world.hal.flash.writes > writes
    assert world.stored()[3] == world.files[OWN]
