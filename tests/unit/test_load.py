# SPDX-License-Identifier: MIT
"""The phone's own software: which loads it takes, how it installs them, and how it comes back from a failed load."""

from agent.formats import bootenv
from tests.helpers.agent.load_world import (
    CONFIGURATION,
    LOAD_SERVER,
    NEW,
    OLD_IMAGE,
    RUNNING,
    LoadWorld,
    cluster,
    image,
    load,
)

HEAP = "16m"  # for the copies of a card; a board takes loads of 15 MB with a heap of 8 MB


def state(world):
    """The words of the boot loader's environment, and the two names in the store."""
    keeper = world.phone.keeper
    return world.card.words(), keeper.load_name("trial"), keeper.load_name("failed")


def refused(configuration, served="new", name=NEW, **options):
    """One boot in which a load is refused -> (its reasons, the Decision, the world). Nothing of it has changed anything."""
    world = LoadWorld(cluster(configuration, served, name), **options)
    assert not world.go_on()
    decision = world.reported[-1]
    assert decision.kind == "load" and not decision.accepted
    assert world.card.words() == {"slot": "a"} and state(world)[1] is None
    assert world.running_image(world.card.slots["a"]) == OLD_IMAGE
    assert not world.power_on() and world.running == RUNNING
    return decision.reason, decision, world


def test_a_configuration_that_names_what_runs_or_nothing_changes_nothing():
    for configuration in ("none", "same"):
        world = LoadWorld(cluster(configuration))
        assert not world.go_on() and world.load_reasons() == []
        assert NEW + ".sgn" not in world.server.asked


def test_update_there_and_back_by_configuration_alone():
    world = LoadWorld(cluster("new"))
    assert world.go_on() and world.load_reasons() == ["load load-installed"]
    assert world.card.words() == {"slot": "a", "upgrade_available": "1", "bootcount": "0"}
    assert not world.power_on()
    assert (world.loads.running, world.loads.boot, world.running) == ("b", "trial", NEW)
    assert world.reasons() == [
        "ctl not-found",
        "itl unchanged",
        CONFIGURATION + " signed-by-itl",
        "load load-confirmed",
    ]
    assert world.loads.confirmations == 1 and world.card.words() == {"slot": "b"}
    assert not world.power_on() and (world.loads.boot, world.load_reasons()) == ("normal", [])
    world.files[CONFIGURATION] = load("same.cnf.xml.sgn")
    world.files[RUNNING + ".sgn"] = load("spare.sgn")
    assert not world.power_on() and world.load_reasons() == ["load !wrong-file"], (
        "its maker signed it, under another name"
    )
    world.files[CONFIGURATION] = load("spare.cnf.xml.sgn")
    world.files["phonetrust-rpi3-0.3.0.sgn"] = load("spare.sgn")
    assert world.power_on() and not world.power_on()
    assert (world.loads.running, world.running, world.load_reasons()) == (
        "a",
        "phonetrust-rpi3-0.3.0",
        ["load load-confirmed"],
    )


def test_a_configuration_that_no_list_verified_asks_for_nothing():
    world = LoadWorld(cluster("new"))
    del world.files[CONFIGURATION]
    body = load("new.cnf.xml.sgn")
    world.files["SEP00270DC01C92.cnf.xml"] = body[body.find(b"<device>") :]
    assert not world.go_on() and world.load_reasons() == [], "the configuration itself was refused"
    del world.files["ITLFile.tlv"]
    world = LoadWorld(world.files | {NEW + ".sgn": load("new.sgn")})
    assert world.go_on(), "without any trust, nobody could verify one"


def test_not_authorized_says_why():
    from agent.trust.decision import Decision
    from agent.trust.loads import LoadRules

    world = LoadWorld(cluster("none"))
    rules = LoadRules(world.hal.crypto, world.software)
    for reason in ("no-file-signer", "no-trust-list", "after-rollback"):
        found = rules.by_name(NEW, Decision(True, reason, CONFIGURATION, ""), True, None)
        assert (found.accepted, found.reason) == (False, "not-authorized") and reason in found.text
    assert rules.by_name(NEW, Decision(True, "vouched-by-tvs", CONFIGURATION, ""), True, None) is None


def test_loads_of_others_are_not_even_written():
    for served, reason in (("stranger", "unknown-signer"), ("spare", "wrong-file"), ("old", "wrong-file")):
        found, _, world = refused("new", served)
        assert found == reason, served
        assert world.running_image(world.card.slots["b"]) == OLD_IMAGE, "the other slot is as it was"


def test_what_the_name_tells_is_refused_before_anything_is_fetched():
    for configuration, reason in (("board", "wrong-board"), ("strange", "wrong-board"), ("old", "load-too-old")):
        found, decision, world = refused(configuration)
        assert found == reason and decision.text
        assert not [name for name in world.server.asked if name.endswith("9.sgn") or "rpi" in name], configuration


def test_what_is_inside_counts_and_not_the_name_alone():
    assert refused("new", "board")[0] == "wrong-board"
    for served, words in (
        ("inside", "says inside that it is phonetrust-rpi3-0.4.0"),
        ("format", "has the format 2"),
        ("text", "not a boot image"),
    ):
        reason, decision, _ = refused("new", served)
        assert reason == "malformed" and words in decision.text, served


def test_a_load_below_the_floor_of_what_runs():
    assert refused("new", "new", floor="0.2.1")[0] == "load-too-old"
    assert LoadWorld(cluster("new"), floor="0.2.0").go_on()


def test_a_damaged_load():
    data = load("new.sgn")
    for at in (len(data) - 1, len(data) // 2, 3000, 900):
        world = LoadWorld(cluster("new"))
        changed = bytearray(data)
        changed[at] ^= 4
        world.files[NEW + ".sgn"] = bytes(changed)
        assert not world.go_on() and world.load_reasons() == ["load !bad-signature"], at
        assert not world.power_on()
    for size, expected in (
        (0, NEW + ".sgn !malformed"),
        (20, NEW + ".sgn !malformed"),
        (379, NEW + ".sgn !malformed"),  # the header has 380 bytes
        (380, "load !bad-signature"),
        (len(data) // 2, "load !bad-signature"),
        (len(data) - 1, "load !bad-signature"),
    ):
        world = LoadWorld(cluster("new"))
        world.files[NEW + ".sgn"] = data[:size]
        assert not world.go_on() and world.reasons()[-1] == expected, (size, world.reasons())
        assert not world.power_on() and world.running == RUNNING


def test_a_load_that_no_server_has_or_that_is_larger_than_a_slot():
    assert refused("new", None)[0] == "not-found"
    world = LoadWorld(cluster("new"))
    world.files[NEW + ".sgn"] = load("new.sgn") + bytes(100000)
    assert not world.go_on() and world.load_reasons() == ["load !too-large"]


def test_the_load_server_of_the_configuration():
    world = LoadWorld(cluster("server", None))
    assert not world.go_on() and world.load_reasons() == ["load !not-found"]
    world.load_files[NEW + ".sgn"] = load("new.sgn")
    assert world.power_on() and world.load_reasons() == ["load load-installed"]
    assert NEW + ".sgn" not in world.server.asked and NEW + ".sgn" in world.load_server.asked
    assert LOAD_SERVER == "192.0.2.2"
    reason, decision, _ = refused("bad-server")
    assert reason == "bad-name" and "loadServer" in decision.text


def test_the_card_that_does_not_keep_what_was_written():
    class Forgetful:
        def __init__(self, region):
            self.region = region
            self.size = region.size
            self.read_into = region.read_into
            self.sync = region.sync

        def write(self, offset, data):
            self.region.write(offset, data if offset else bytes(data[:-1]) + b"?")

    world = LoadWorld(cluster("new"))
    world.card.slots["b"] = world.loads.slots["b"] = Forgetful(world.card.slots["b"])
    assert not world.go_on()
    decision = world.reported[-1]
    assert decision.reason == "not-stored" and "reads back different" in decision.text
    assert world.card.words() == {"slot": "a"}


def test_a_load_whose_agent_never_runs_goes_back_after_two_tries():
    world = LoadWorld(cluster("new"))
    world.broken = (NEW,)
    assert world.update() == 3, "into the trial, its second try, and back"
    assert (world.loads.boot, world.running) == ("unconfirmed", RUNNING)
    rolled_back = [one for one in world.reported if one.reason == "load-rolled-back"][0]
    assert rolled_back.evidence == {"load": NEW, "running": RUNNING, "why": "unconfirmed"} and NEW in rolled_back.text
    assert world.load_reasons() == ["load !load-rolled-back", "load !load-failed"]
    assert state(world) == ({"slot": "a"}, None, NEW)
    assert not world.power_on() and world.load_reasons() == ["load !load-failed"], "said once"


def test_a_load_that_failed_is_tried_again_when_a_person_says_so_or_another_was_named():
    world = LoadWorld(cluster("new"))
    world.broken = (NEW,)
    world.update()
    world.broken = ()
    assert not world.power_on() and world.load_reasons() == ["load !load-failed"]
    assert world.phone.work.retry_load() and not world.phone.work.retry_load()
    assert world.go_on() and not world.power_on() and world.running == NEW

    world = LoadWorld(cluster("new"))
    world.broken = (NEW,)
    world.update()
    world.broken = ()
    world.files[CONFIGURATION] = load("same.cnf.xml.sgn")
    assert not world.power_on() and state(world)[2] is None
    world.files[CONFIGURATION] = load("new.cnf.xml.sgn")
    assert world.power_on()


def test_a_slot_that_the_boot_loader_refuses_on_trial():
    world = LoadWorld(cluster("new"))
    del world.good[image("new")]
    assert world.go_on() and not world.power_on()
    assert (world.loads.boot, world.running) == ("refused", RUNNING)
    assert world.load_reasons() == ["load !load-rolled-back", "load !load-failed"]


def test_a_bit_flipped_in_the_slot_that_runs():
    world = LoadWorld(cluster("new"))
    world.update()
    assert world.loads.running == "b"
    world.card.slots["b"].write(70000, b"\0" * 8)
    world.card.flash.sync()
    world.files[CONFIGURATION] = load("none.cnf.xml.sgn")
    assert not world.power_on()
    assert (world.loads.running, world.loads.boot, world.load_reasons()) == (
        "a",
        "fallback",
        ["load !load-rolled-back"],
    )
    assert world.card.words() == {"slot": "a"}
    world.files[CONFIGURATION] = load("new.cnf.xml.sgn")
    assert world.power_on() and not world.power_on() and world.running == NEW, "and it heals"


def test_a_load_that_meets_no_server_is_not_confirmed():
    world = LoadWorld(cluster("new"))
    assert world.go_on()
    files = dict(world.files)
    world.hal.net.serve_udp("192.0.2.1", 69, lambda packet, source, reply: None)
    assert not world.power_on() and world.loads.boot == "trial"
    assert world.loads.confirmations == 0 and world.card.words()["bootcount"] == "1"
    world.hal.net.serve_udp("192.0.2.1", 69, world.server)
    assert files == world.files and not world.go_on(), "the network is back before the trial is over"
    assert world.load_reasons() == ["load load-confirmed"] and world.card.words() == {"slot": "b"}


def test_a_load_whose_service_does_not_answer_is_not_confirmed():
    world = LoadWorld(cluster("new"))
    assert world.go_on()
    world.make_phone()
    world.phone.service.serving = False
    assert not world.go_on() and world.loads.confirmations == 0 and world.load_reasons() == []


def test_lost_trust_confirms_nothing_and_takes_nothing():
    world = LoadWorld(cluster("new"))
    assert world.go_on()
    for offset in (0, 512, 4096, 49152, 49152 + 4096):
        world.card.store.write(offset, b"\xa5" * 512)
    world.card.flash.sync()
    assert not world.power_on() and world.trust.lost
    assert world.loads.boot == "trial" and world.loads.confirmations == 0
    assert not world.power_on() and not world.power_on()
    assert world.loads.boot == "unconfirmed", "and the old software starts again"


def test_an_environment_that_cannot_be_read_starts_the_first_slot():
    world = LoadWorld(cluster("new"))
    world.update()
    for copy in world.card.environment:
        copy.write(100, b"\xa5" * 50)
    world.card.flash.sync()
    world.files[CONFIGURATION] = load("none.cnf.xml.sgn")
    assert not world.power_on() and (world.loads.running, world.running) == ("a", RUNNING)
    data = bytearray(bootenv.SIZE)
    assert world.card.words() == {}
    world.card.environment[0].read_into(0, data)
    assert bootenv.decode(data) is None


def test_status_and_console_say_what_runs():
    world = LoadWorld(cluster("new"))
    world.broken = (NEW,)
    world.update()
    found = world.phone.view.status()["load"]
    assert found == {
        "name": RUNNING, "board": "rpi3", "floor": "0.1.0", "slot": "a", "boot": "unconfirmed", "trial": False,
        "failed": NEW, "wanted": NEW,
    }  # fmt: skip
    from agent.local.console import Console
    from agent.main import Wishes
    from tests.helpers.agent.both import run

    shown = []
    console = Console(world.phone.view, Wishes(world.phone), shown.append)
    run(console.command("show load"))
    assert "".join(shown).split("\n")[:3] == [
        "Load         " + RUNNING,
        "Slot         a, boot unconfirmed",
        "Configured   " + NEW,
    ]
    run(console.command("retry load"))
    run(console.command("retry load"))
    assert "No load has failed its trial." in shown[-1]
    assert "another try of the load asked for at the console" in world.hal.console.output
