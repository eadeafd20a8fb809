# SPDX-License-Identifier: MIT
"""The phone's own certificate at the console, and CAPF that is asked again while the phone serves."""

from tests.helpers.agent.enrolling import SIGNED, configuration, enrolling
from tests.helpers.agent.phone_world import own_pair


def booted(mode=1, mic=None, does="install"):
    """(World, CapfServer) of a phone that has booted."""
    world, server = enrolling(configuration(mode=mode), does, mic=mic)
    world.boot()
    return world, server


def test_show_lsc():
    world, _ = booted()
    shown = world.type_in("show lsc")
    assert "LSC: not installed\nMIC: not installed\n" in shown
    world.identity.keep(*own_pair())
    shown = world.type_in("show lsc", "show security")
    for words in ("LSC: installed", "CN=SEP00270DC01C92", "until    2045-12-27", "rsa 2048 bits", "MIC: not installed"):
        assert words in shown, shown
    assert "LSC          installed" in shown
    world, _ = booted(mic=own_pair())
    assert "MIC: installed" in world.type_in("show lsc")


def test_update_with_the_string_in_one_line():
    world, server = booted()
    server.string = "Ab12"
    shown = world.type_in("UPDATE LSC Ab12")
    assert "lsc accepted installed" in shown and SIGNED + " accepted" in shown
    assert world.identity.lsc[0] == server.issued[0]


def test_update_that_asks_for_the_string():
    world, server = booted()
    server.string = "Ab12"
    shown = world.type_in("update lsc", "Ab12")
    assert shown.index("Type the authentication string") < shown.index("lsc accepted installed")
    world, server = booted()
    shown = world.type_in("update lsc", "", "show lsc")
    assert "CAPF was not asked." in shown and "LSC: not installed" in shown and server.sessions == 0


def test_update_without_a_string():
    world, server = booted(mode=2, does=None)
    shown = world.type_in("update lsc")
    assert "lsc accepted no-action" in shown and server.sessions == 2
    shown = world.type_in("update", "update mic", "update lsc a b")
    assert shown.count("is not a command") == 3


def test_menu():
    world, server = booted(mode=2, does=None)
    shown = world.type_in("menu", "1", "2", "1", "2", "0")
    assert "Settings > Security > LSC" in shown and "LSC: not installed" in shown
    assert "lsc accepted no-action" in shown
    assert shown.rstrip().endswith("0  Back"), "back in Security"


def test_nothing_else_happens_while_erasing_is_asked():
    world, server = booted()
    shown = world.type_in("erase all", "update lsc 1")
    assert "Nothing was erased." in shown and server.sessions == 0


def test_the_phone_asks_again_by_itself():
    world, server = enrolling(configuration(mode=2))
    server.ends = (0, ((12, b"\0\x05"),))
    assert world.boot() is False
    server.ends = None
    world.turn()
    assert server.sessions == 1, "not yet"
    world.hal.clock.now += 5000
    world.turn()
    shown = world.hal.console.output
    assert "asking CAPF again" in shown and "lsc accepted installed" in shown
    assert server.sessions == 2
