# SPDX-License-Identifier: MIT
"""Power lost at every write of everything that writes, in every manner: the phone is in a state of the undisturbed run, in the
old or the new one or one between two saves, never at first use, and ends where an undisturbed phone does."""

import random
import time

from agent.errors import TrustLost
from agent.flash.store import Store
from hal.fake.flash import FakeFlash, PowerLost
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import library
from tests.helpers.agent.clusters import SIGNED, cluster
from tests.helpers.agent.enrolling import configuration, enrolling, itl
from tests.helpers.agent.phone_world import FLASH, World, own_pair
from tests.torture import kills, power_load
from tests.torture.tally import Effort, Tally

OWN_ENCRYPTED = "SEP00270DC01C92.cnf.xml.enc.sgn"
#: bits of a mask that says which unsynced writes survive; none leaves more behind between two syncs
UNSYNCED = 4


class Recording(FakeFlash):
    """Keeps what the flash holds after each sync."""

    def __init__(self, **options):
        FakeFlash.__init__(self, **options)
        self.seen = []

    def sync(self):
        """Keep it, too."""
        FakeFlash.sync(self)
        self.seen.append(bytes(self.data))


def content(image):
    """{section: bytes} of a flash, None where it is as new. Raises TrustLost."""
    stored = Store(FakeFlash(content=image), library()).load()
    return None if stored is None else {name: bytes(stored.read(name)) for name in stored.names()}


def plain(files):
    """A phone of these files, made for a flash; it boots."""

    def make(flash):
        return World(files, flash, own_pair())

    return make


def boot(world):
    world.boot()


def erase(what):
    """What a person does."""

    def act(world):
        world.load()
        world.erase(what)

    return act


def enrolment(does):
    """A phone that CAPF gives a certificate, or takes it away: a server of its own for each life."""

    def make(flash):
        return enrolling(configuration(2), does, flash)[0]

    return make


def change_of_encrypted():
    """Files that send to an encrypted configuration."""
    files = cluster(ctl="ctl-mixed.tlv")
    files[SIGNED] = vector(SIGNED)
    files[OWN_ENCRYPTED] = vector(OWN_ENCRYPTED)
    return files


def after(make, act=boot, flash=None):
    """The flash of a phone that has lived through this undisturbed."""
    world = make(flash or FakeFlash(FLASH))
    act(world)
    return bytes(world.hal.flash.data)


def scenarios():
    """(name, flash before, make(flash) -> World, what happens)."""
    base, blank = cluster(ctl="ctl-mixed.tlv"), b"\xff" * FLASH
    booted = after(plain(base))
    itl_only = after(plain(cluster()))
    listed = after(plain(cluster("itl-rollback.tlv")))
    yield "first boot", blank, plain(base), boot
    yield "first boot, zeroed flash", bytes(FLASH), plain(base), boot
    yield "update of the ITL", booted, plain(cluster("itl-sha512.tlv", "ctl-mixed.tlv")), boot
    yield "update of the CTL", itl_only, plain(base), boot
    yield "rollback", itl_only, plain(cluster("itl-rollback.tlv")), boot
    yield "after the rollback", listed, plain(cluster()), boot
    yield "new configuration", booted, plain(cluster(ctl="ctl-mixed.tlv", configuration="cfg-sha1.cnf.xml.sgn")), boot
    yield "encrypted configuration", booted, plain(change_of_encrypted()), boot
    new = after(enrolment(None), flash=listed_flash())
    yield "enrolment", new, enrolment("install"), boot
    enrolled = after(enrolment("install"), flash=FakeFlash(content=new))
    yield "LSC deleted", enrolled, enrolment("delete"), boot
    for what in ("itl", "ctl", "all"):
        yield f"erase {what}", booted, plain(base), erase(what)


def listed_flash():
    """The flash of a phone that has the enrolling cluster's ITL."""
    flash = FakeFlash(FLASH)
    store = Store(flash, library())
    store.load()
    store.save({"itl": itl()})
    return flash


def manners(effort):
    """(name, options of FakeFlash): how a write is cut."""
    yield "clean", {"torn": False}
    yield "torn in the middle", {"torn": True}
    yield "unsynced writes lost", {"torn": False, "survivors": 0}
    yield "unsynced writes lost, this one whole", {"torn": 1, "survivors": 0}
    if not effort.short:
        for share in (0.02, 0.2, 0.8, 0.98, 1):
            yield f"torn at {share}", {"torn": share}
        for mask in range(1, (1 << UNSYNCED) - 1):
            for torn in (0, 0.5, 1):
                yield f"reordered, survivors {mask:04b}, torn {torn}", {"torn": torn, "survivors": mask}


def run(effort):
    """The scenarios, each a line of a table; updates of the software; random lives of several cuts; QEMU killed."""
    tallies = []
    for name, before, make, act in scenarios():
        tallies.append(cuts(name, before, make, act, effort))
    one = Tally("power: a cut at every write", "each write of each scenario, each manner; the scenarios below.")
    one.rows = [("scenario", "writes", "cuts", "lost")]
    for name, writes, tally in tallies:
        one.add(tally)
        one.rows.append((name, writes, tally.cases, tally.lost))
    if effort.short:  # tests/unit/test_load_cuts.py and tests/hil/test_power.py are in `make test`
        return [one, repeated(effort)]
    killed = Effort(effort.seconds / 2, effort.seed)
    return [one, power_load.run(list(manners(effort))), repeated(effort), kills.run(killed)]


def cuts(name, before, make, act, effort):
    """(name, writes, Tally) of one scenario."""
    tally = Tally(name)
    whole = Recording(content=before)
    act(make(whole))
    allowed = [comparable(content(image)) for image in [before, *whole.seen]]
    end = content(bytes(whole.data))
    assert whole.writes or before == bytes(whole.data), f"{name}: nothing happened"
    for at in range(1, whole.writes + 1):
        for manner, options in manners(effort):
            label = f"power: {name}, write {at}, {manner}"
            begun = time.monotonic()
            flash = FakeFlash(content=before, lose_power_at=at, **options)
            try:
                act(make(flash))
            except PowerLost:
                pass
            fault = judge(flash.after_power_loss(), allowed, end, make, act)
            took = time.monotonic() - begun
            if fault:
                tally.lose(f"{label}: {fault}", took)
            else:
                tally.survive(took)
    return name, whole.writes, tally


def judge(flash, allowed, end, make, act):
    """What is wrong with a phone that is switched on again, or None."""
    try:
        found = content(bytes(flash.data))
    except TrustLost as error:
        return f"trust lost: {error}"
    if comparable(found) not in allowed:
        return f"a state that never was: {sorted(found or {})}"
    world = make(flash)
    act(world)
    if any(decision.reason == "trust-lost" for decision in world.reported):
        return "the phone says that its trust is lost"
    if end is not None and found and "itl" in found and any("first-use" in one for one in world.reasons()):
        if not ("ctl" in end and "ctl" not in found):  # a first CTL beside an ITL is no first use either
            return f"first use although an ITL is there: {world.reasons()}"
    if comparable(content(bytes(world.hal.flash.data))) != comparable(end):
        return "another state than an undisturbed phone's"
    return None


def comparable(state):
    """A state without what is new in each life: the phone's own keys and certificate."""
    if state is None:
        return None
    return {name: b"" if name in ("lsc", "lsc-key") else value for name, value in state.items()}


def repeated(effort):
    """Lives in which the power goes again and again while the phone begins, and a list changes."""
    tally = Tally("power: lives of many cuts", "a first boot and updates, cut at random up to 20 times each.")
    draw = random.Random(effort.seed)
    ends = time.monotonic() + effort.seconds / 4
    updates = [cluster(ctl="ctl-mixed.tlv"), cluster("itl-sha512.tlv", "ctl-mixed.tlv"), change_of_encrypted()]
    for life in range(20 if effort.short else 100000):
        if time.monotonic() > ends and life >= 20:
            break
        begun = time.monotonic()
        image, had = b"\xff" * FLASH, None
        fault = None
        for _ in range(draw.randint(1, 20)):
            flash = FakeFlash(
                content=image,
                lose_power_at=draw.randint(1, 14),
                torn=draw.random(),
                survivors=draw.getrandbits(UNSYNCED),
            )
            try:
                World(draw.choice(updates), flash, own_pair()).boot()
            except PowerLost:
                pass
            image = bytes(flash.after_power_loss().data)
            try:
                found = content(image)
            except TrustLost as error:
                fault = f"trust lost: {error}"
                break
            if had and not (found and set(had) <= set(found)):
                fault = f"had {sorted(had)}, then {sorted(found or {})}"
                break
            had = found and {name for name in found if name in ("ctl", "itl")}
        took = time.monotonic() - begun
        if fault:
            tally.lose(f"power: life {life} of seed {effort.seed}: {fault}", took)
        else:
            tally.survive(took)
    return tally
