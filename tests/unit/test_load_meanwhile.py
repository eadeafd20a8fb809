# SPDX-License-Identifier: MIT
"""What happens while a load is being written: the cluster names another one, a person asks for something, the server's file
changes or the server goes away. A slot holds one whole load, or nobody starts it; each decision has its reason."""

import asyncio

from agent.formats.header import Header
from hal.fake import Restarted
from tests.helpers.agent.load_world import (
    CONFIGURATION,
    LOAD_SERVER,
    NEW,
    OLD_IMAGE,
    RUNNING,
    LoadWorld,
    TftpServer,
    cluster,
    image,
    load,
)

HEAP = "24m"
TIMEOUT = 300
NEXT = "phonetrust-rpi3-0.3.0"
HALF = 30  # blocks of the load, of 1 KiB or so, that have come when it happens


class Interrupted:
    """The TFTP server of a world; happens() is called once, in the middle of a load."""

    def __init__(self, world, happens):
        self.world = world
        self.happens = happens
        self.blocks = None  # of the load, so far
        world.hal.net.serve_udp("192.0.2.1", 69, self)

    def __call__(self, packet, source, reply):
        if packet[1] == 1:
            self.blocks = 0 if b"phonetrust" in bytes(packet[:20]) else None
        elif packet[1] == 4 and self.blocks is not None:
            self.blocks += 1
            if self.blocks == HALF and self.happens is not None:
                happens, self.happens = self.happens, None
                happens()
        self.world.server(packet, source, reply)


def whole(world, slot, name):
    """Whether a slot holds exactly this load's image from its first byte on."""
    content = image(name)
    found = bytearray(len(content))
    world.card.slots[slot].read_into(0, found)
    return found == content


def test_the_cluster_names_another_load_while_one_is_written():
    """The one that was begun is finished, tried and confirmed; the other one follows, into the other slot."""
    world = LoadWorld(cluster("new"))
    world.files[NEXT + ".sgn"] = load("spare.sgn")
    server = Interrupted(world, lambda: world.files.update({CONFIGURATION: load("spare.cnf.xml.sgn")}))
    assert world.go_on() and server.happens is None
    assert world.load_reasons() == ["load load-installed"] and whole(world, "b", "new")
    assert world.reported[-1].evidence["load"] == NEW
    assert world.power_on(), "it goes on to the one that is named now"
    assert (world.running, world.load_reasons()) == (NEW, ["load load-confirmed", "load load-installed"])
    assert world.reported[-1].evidence["load"] == NEXT and whole(world, "a", "spare") and whole(world, "b", "new")
    assert not world.power_on() and world.running == NEXT and world.load_reasons() == ["load load-confirmed"]
    assert world.card.words() == {"slot": "a"}


def test_the_cluster_takes_its_word_back_while_a_load_is_written():
    world = LoadWorld(cluster("new"))
    Interrupted(world, lambda: world.files.update({CONFIGURATION: load("same.cnf.xml.sgn")}))
    assert world.go_on() and whole(world, "b", "new")
    del world.files[NEW + ".sgn"]
    assert not world.power_on() and world.running == NEW
    assert world.load_reasons() == ["load load-confirmed", "load !not-found"], "the old one is no file of this server"


def test_retry_load_and_restart_while_a_load_is_written():
    world = LoadWorld(cluster("spare", "spare", NEXT))
    world.broken = (NEXT,)
    world.update()
    assert world.phone.keeper.load_name("failed") == NEXT
    world.broken = ()
    world.files[CONFIGURATION] = load("new.cnf.xml.sgn")
    world.files[NEW + ".sgn"] = load("new.sgn")
    world.make_phone()
    answers = []

    def happens():
        answers.append(world.phone.work.retry_load())
        world.phone.work.restart()

    Interrupted(world, happens)
    assert world.go_on() and answers == [False], "another one is named, so none has failed any more"
    assert whole(world, "b", "new") and world.reported[-1].evidence["load"] == NEW
    assert not world.power_on() and world.running == NEW and world.load_reasons() == ["load load-confirmed"]


def test_retry_load_after_the_new_load_was_named_and_before_it_came():
    """The wish to try what failed is granted once; the configuration still says which load that is."""
    world = LoadWorld(cluster("new"))
    world.broken = (NEW,)
    world.update()
    world.broken = ()
    assert world.phone.work.retry_load()
    world.files[CONFIGURATION] = load("spare.cnf.xml.sgn")
    world.files[NEXT + ".sgn"] = load("spare.sgn")
    try:
        asyncio.run(world.phone.work.turn())
    except Restarted:
        pass
    assert world.reported[-1].evidence["load"] == NEXT and whole(world, "b", "spare")
    assert not world.power_on() and world.running == NEXT


def test_a_person_who_erases_meanwhile_ends_it_before_the_trial():
    """Nobody has the boot loader try what was written for a cluster that is not trusted any more."""
    world = LoadWorld(cluster("new"))
    world.hal.clock.yields = True
    work = world.phone.work

    async def main():
        arriving = asyncio.Event()
        Interrupted(world, arriving.set)
        job = asyncio.create_task(work.run(lambda good: None))
        await arriving.wait()
        await work.erase("all")
        job.cancel()
        try:
            await job
        except asyncio.CancelledError:
            pass

    asyncio.run(main())
    world.hal.clock.yields = False
    assert world.card.words() == {"slot": "a"} and world.load_reasons() == []
    assert world.reported[-1].reason == "erased" and world.trust.itl is None
    world.files[CONFIGURATION] = load("none.cnf.xml.sgn")
    assert not world.power_on() and (world.loads.running, world.loads.boot, world.running) == ("a", "normal", RUNNING)
    world.files[CONFIGURATION] = load("new.cnf.xml.sgn")
    assert world.power_on() and not world.power_on() and world.running == NEW and whole(world, "b", "new")


def test_the_servers_file_changes_under_its_name():
    """Half of one load and half of another, under one header: the signature does not fit, and nothing is tried."""
    for other in ("spare", "old", "format"):
        world = LoadWorld(cluster("new"))
        first, second = load("new.sgn"), load(other + ".sgn")
        second = (second + bytes(len(first)))[: len(first)]
        size = HALF * 1024
        assert Header(first).length < size < len(first)
        Interrupted(world, None)
        world.files[NEW + ".sgn"] = first[:size] + second[size:]
        assert not world.go_on() and world.load_reasons() == ["load !bad-signature"], other
        assert world.card.words() == {"slot": "a"} and not world.power_on() and world.running == RUNNING


def test_a_server_that_dies_in_the_middle_is_followed_by_another_from_the_start():
    """What the second server has counts alone: another load of the maker's under that name is refused by its header."""
    for served, reason in (
        ("new", "load load-installed"),
        ("spare", "load !wrong-file"),
        ("stranger", "load !unknown-signer"),
    ):
        world = LoadWorld(cluster("new"), tftp=["192.0.2.1", LOAD_SERVER])
        world.hal.net.serve_udp(LOAD_SERVER, 69, TftpServer({NEW + ".sgn": load(served + ".sgn")}))
        silent = world.hal.net.silent
        Interrupted(world, lambda silent=silent: silent.add("192.0.2.1"))
        assert world.go_on() is (served == "new")
        assert world.load_reasons() == [reason], served
        silent.clear()
        if served == "new":
            assert whole(world, "b", "new") and not world.power_on() and world.running == NEW
        else:
            assert world.card.words() == {"slot": "a"} and not whole(world, "b", served)
            assert world.running_image(world.card.slots["a"]) == OLD_IMAGE
