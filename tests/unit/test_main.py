# SPDX-License-Identifier: MIT
"""The phone's main program: its log, its console, and that nothing a person types ends it."""

import asyncio
import json

from tests.helpers.agent.both import vector
from tests.helpers.agent.clusters import SIGNED, cluster
from tests.helpers.agent.phone_world import SERVER, World


def log(world):
    """The lines of its console."""
    return world.hal.console.output.split("\n")


def test_each_decision_is_a_line():
    world = World(cluster())
    assert world.boot() is True
    lines = log(world)
    told = [line for line in lines if "accepted" in line]
    assert [line[21:].split(": ")[0] for line in told] == [
        "ctl accepted not-found",
        "itl accepted first-use",
        SIGNED + " accepted signed-by-itl",
    ]
    assert [line for line in lines if "warning" in line and "SHA-1" in line]
    assert "state trusted, mode mixed" in lines[-2] and lines[-1] == ""


def test_a_refusal_and_the_lockout_are_errors():
    world = World(cluster())
    world.boot()
    world.files["ITLFile.tlv"] = vector("bad-signature-bit.tlv")
    assert world.boot() is False
    lines = log(world)
    assert [line for line in lines if "error" in line and "itl refused bad-signature" in line]
    assert "locked out" in lines[-2] and "error" in lines[-2]


def test_status_at_the_console_is_one_line_of_json():
    world = World(cluster())
    world.boot()
    line = [line for line in world.type_in("show status").split("\n") if line.startswith("{")][0]
    assert json.loads(line)["state"] == "trusted" and line == world.phone.status_json()


def test_a_restart_typed_fetches_again():
    world = World(cluster())
    world.boot()
    world.files["ITLFile.tlv"] = vector("itl-sha512.tlv")
    shown = world.type_in("restart")
    assert "restart asked for at the console" in shown and "itl accepted signed-by-itl" in shown


def test_a_network_that_comes_back_is_found_by_itself():
    world = World(cluster())
    world.hal.net.silent.add(SERVER)
    assert world.boot() is False and world.reasons() == ["ctl !no-server"]
    world.turn()  # from here on the pause counts
    world.hal.net.silent.clear()
    world.hal.clock.now += 9999
    world.turn()
    assert len(world.reported) == 1
    world.hal.clock.now += 1
    world.turn()
    assert world.reasons()[1:] == ["ctl not-found", "itl first-use", SIGNED + " signed-by-itl"]


def run_phone(world, *lines):
    """The whole phone in a loop, with these lines typed at its console, until the console's input ends."""
    for line in lines:
        world.hal.console.type(line)
    world.hal.console.end()
    world.hal.clock.yields = True

    async def main():
        await asyncio.wait_for(world.phone.run(), 20)

    asyncio.run(main())


def test_the_console_answers_before_the_boot_has_ended():
    world = World(cluster())
    run_phone(world, "show security")
    lines = log(world)
    assert "SEP00270DC01C92" in lines[0] and "notice" in lines[0]
    assert [line for line in lines if line.startswith("State")]


def test_a_command_without_memory_is_told_and_the_next_one_is_taken():
    world = World(cluster())

    def no_memory():
        raise MemoryError()

    world.phone.work.restart = no_memory
    run_phone(world, "restart", "show security")
    lines = log(world)
    assert [line for line in lines if "error" in line and "does not have enough memory" in line]
    assert [line for line in lines if line.startswith("State")]
