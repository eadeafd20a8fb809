# SPDX-License-Identifier: MIT
"""A hostile network or a faulty cluster cannot change the phone's software, and cannot wear its card out."""

from agent.boot.load import LOAD_TIME, PAUSE, WRITES
from agent.flash.bootstate import BootState
from agent.formats.header import Header
from agent.trust import loads as rules
from tests.helpers.agent.both import raises
from tests.helpers.agent.load_world import (
    CONFIGURATION,
    LOAD_SERVER,
    NEW,
    OLD_IMAGE,
    RUNNING,
    LoadWorld,
    cluster,
    load,
)

HEAP = "16m"
TIMEOUT = 600  # under emulation, on a busy machine
LEFT = 2  # loads that nearly_worn() leaves


def written(world):
    """The number of loads whose write was begun, by the store."""
    return world.phone.keeper.load_writes()


def nearly_worn(configuration="new"):
    """A phone that has written all loads but LEFT that it may write without a pause."""
    world = LoadWorld(cluster(configuration))
    assert world.load() is None
    world.phone.keeper.keep_load_writes(WRITES - LEFT)
    return world


def garbage():
    """The maker's header, which everybody can see, before another body."""
    data = load("new.sgn")
    return data[: Header(data).length] + b"\xa5" * 5000


def test_two_loads_named_in_turn_do_not_wear_the_card_out():
    world = nearly_worn()
    world.files["phonetrust-rpi3-0.3.0.sgn"] = load("spare.sgn")
    for turn in range(LEFT):
        world.files[CONFIGURATION] = load(("new", "spare")[turn % 2] + ".cnf.xml.sgn")
        assert world.update() == 1 and written(world) == WRITES - LEFT + turn + 1, turn
    world.files[CONFIGURATION] = load("new.cnf.xml.sgn")
    before = world.running
    for _ in range(2):  # a restart makes it forget nothing
        assert not world.power_on() and world.load_reasons() == ["load !too-many-writes"]
    refusal = world.reported[-1]
    assert "8 loads were written" in refusal.text and "takes " + NEW + " in 60 min" in refusal.text
    assert world.running == before and written(world) == WRITES
    world.hal.clock.now += PAUSE
    assert world.go_on(), "an hour of running later it is taken"
    assert not world.power_on() and world.running == NEW and written(world) == 1


def test_a_header_that_is_right_before_a_body_that_is_not_writes_a_bounded_number_of_slots():
    world = nearly_worn()
    world.files[NEW + ".sgn"] = garbage()
    for _ in range(LEFT):
        assert not world.go_on() and world.reported[-1].reason == "bad-signature"
    slot = bytearray(100)
    world.card.slots["b"].write(0, OLD_IMAGE)
    world.card.flash.sync()
    for _ in range(3):
        assert not world.go_on() and world.reported[-1].reason == "too-many-writes"
    world.card.slots["b"].read_into(0, slot)
    assert slot == OLD_IMAGE[:100], "not a byte more"
    assert not world.power_on() and world.running == RUNNING


def test_retry_load_again_and_again_tries_what_failed_a_bounded_number_of_times():
    world = nearly_worn()
    world.broken = (NEW,)
    world.update()
    tries = 0
    while world.phone.work.retry_load():
        assert not world.phone.work.retry_load(), "one wish a failure"
        world.update()
        tries += 1
        if world.reported[-1].reason == "too-many-writes":
            break
        assert tries < LEFT
    assert tries == LEFT and written(world) == WRITES and world.running == RUNNING


def test_a_load_of_exactly_the_slots_size_and_one_byte_more():
    data = load("new.sgn")
    for room, reason in ((len(data), "load-installed"), (len(data) - 1, "too-large")):
        world = LoadWorld(cluster("new"))
        for region in (world.card.slots["b"], world.loads.slots["b"]):
            region.size = room
        assert world.go_on() is (reason == "load-installed")
        assert world.reported[-1].reason == reason, room
        behind = bytearray(100)
        world.card.slots["a"].read_into(0, behind)
        assert behind == OLD_IMAGE[:100]


def test_names_that_are_no_names():
    """Invalid text in <loadInformation>: the phone fetches nothing, and no terminal gets the text raw."""
    world = LoadWorld(cluster("none"))
    judged = rules.LoadRules(world.hal.crypto, world.software)
    for name in (
        "../phonetrust-rpi3-0.2.0", "phonetrust-rpi3-0.2.0/..", "phonetrust-rpi3/../x-0.2.0", "phonetrust-rpi3-0.2.0\0",
        "phonetrust-rpi3-0.2", "phonetrust-rpi3-0.2.-1", "phonetrust-rpi3-0.2.0x", "phonetrust-rpi3-0.2.99999",
        "phonetrust-rpi3- 0.2.0", "phonetrust-rpi3-\u0660.2.0", "phonetrust--0.2.0", "phonetrust-rpi3-0.2.0\n", "\x1b[31m",
        "phonetrust-" + "x" * 500 + "-0.2.0", "Phonetrust-rpi3-0.2.0", "",
    ):  # fmt: skip
        found = judged.by_name(name, None, False, None)
        assert found is not None and found.reason == "wrong-board", repr(name)
        assert all(" " <= letter for letter in found.text) and len(found.text) < 500, repr(name)


def test_a_load_server_that_says_nothing_ends_in_time():
    for kind in ("silent", "refusing"):
        world = LoadWorld(cluster("server", None))
        if kind == "silent":
            world.hal.net.serve_udp(LOAD_SERVER, 69, lambda packet, source, reply: None)
        else:
            world.hal.net.serve_udp(LOAD_SERVER, 69, lambda packet, source, reply: reply(b"\0\5\0\2no\0"))
        begun = world.hal.clock.now
        assert not world.go_on()
        assert world.hal.clock.now - begun <= LOAD_TIME + 180000 and not world.reported[-1].accepted
        assert written(world) == 0 and world.card.words() == {"slot": "a"}, kind


def test_a_load_server_that_drips_or_never_ends():
    """One block a wait, for as long as it is let; and blocks without end."""

    class Dripping:
        def __init__(self, world, pause):
            self.world = world
            self.pause = pause
            self.data = load("new.sgn")

        def __call__(self, packet, source, reply):
            if packet[1] == 1:
                reply(b"\0\3\0\1" + self.data[:512])
            elif packet[1] == 4:
                number = (packet[2] << 8 | packet[3]) + 1
                self.world.hal.clock.now += self.pause
                at = number * 512 - 512
                reply(b"\0\3" + (number & 0xFFFF).to_bytes(2, "big") + (self.data[at : at + 512] + bytes(512))[:512])

    for pause, reason in ((9000, "bad-transfer"), (0, "too-large")):
        world = LoadWorld(cluster("server", None))
        world.hal.net.serve_udp(LOAD_SERVER, 69, Dripping(world, pause))
        begun = world.hal.clock.now
        assert not world.go_on()
        took = world.hal.clock.now - begun
        assert took <= LOAD_TIME + 180000, (pause, took)
        assert world.reported[-1].reason == reason, pause
        assert world.card.words() == {"slot": "a"}
        assert not world.power_on() and world.running == RUNNING


def test_a_restart_that_did_not_come_leaves_no_trial_of_a_slot_that_is_written():
    """A person erases the lists while programs ask for time: the job ends, and the boot loader has been told already."""
    world = LoadWorld(cluster("new"))
    step = world.phone.view.loads

    async def stopped(name):
        raise ValueError("the job was ended")

    step._restart = stopped
    raises(ValueError, world.go_on)
    assert world.card.words()["upgrade_available"] == "1"
    world.files[NEW + ".sgn"] = garbage()
    assert not world.go_on() and world.reported[-1].reason == "bad-signature"
    assert world.card.words() == {"slot": "a"}, "nobody starts what was half written over"
    assert not world.power_on() and world.loads.boot == "normal"


def test_a_development_load_is_a_strangers_on_a_makers_phone_and_the_other_way_round():
    for mine, served, taken in (("maker", "new", True), ("spare", "new", False), ("spare", "stranger", False)):
        world = LoadWorld(cluster("new", served))
        world.certificates = [load(mine + ".der")]
        world.make_phone()
        assert world.go_on() is taken
        assert world.reported[-1].reason == ("load-installed" if taken else "unknown-signer"), (mine, served)


def test_words_of_the_environment_that_the_boot_loader_does_not_write():
    """A person who can write the card can write them; the phone only reads from them whether a trial is wanted."""
    world = LoadWorld(cluster("none"))
    state = BootState(world.card.environment)
    state._write({"slot": "z", "upgrade_available": "x" * 500, "bootcount": "-1", "rolled_back": "\x1b[2J"})
    assert not world.power_on() and (world.loads.running, world.running) == ("a", RUNNING)
    assert all("\x1b" not in decision.text for decision in world.reported)
