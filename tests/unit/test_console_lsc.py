# SPDX-License-Identifier: MIT
"""The phone's own certificate at the console, and CAPF that is asked again while the phone serves."""

from agent.main import Phone
from tests.helpers.agent.enrolling import SIGNED, configuration, enrolling
from tests.helpers.agent.phone_world import own_pair


def phone(mode=1, mic=None, does="install"):
    """(Phone, CapfServer, its console) of a phone that has booted."""
    world, server = enrolling(configuration(mode=mode), does, mic=mic)
    running = Phone(world.hal, world.settings, mic=mic)
    running.start()
    return running, server, world.hal.console


def type_in(running, console, *lines):
    """What the console shows after these lines."""
    console.output = ""
    for line in lines:
        console.type(line)
    console.end()
    running.serve()
    console._ended = False
    return console.output


def test_show_lsc():
    running, _, console = phone()
    shown = type_in(running, console, "show lsc")
    assert "LSC: not installed\nMIC: not installed\n" in shown
    running.boot.identity.keep(*own_pair())
    shown = type_in(running, console, "show lsc", "show security")
    for words in ("LSC: installed", "CN=SEP00270DC01C92", "until    2045-12-27", "rsa 2048 bits", "MIC: not installed"):
        assert words in shown, shown
    assert "LSC          installed" in shown
    running, _, console = phone(mic=own_pair())
    assert "MIC: installed" in type_in(running, console, "show lsc")


def test_update_with_the_string_in_one_line():
    running, server, console = phone()
    server.string = "Ab12"
    shown = type_in(running, console, "UPDATE LSC Ab12")
    assert "lsc accepted installed" in shown and SIGNED + " accepted" in shown
    assert running.boot.identity.lsc[0] == server.issued[0]


def test_update_that_asks_for_the_string():
    running, server, console = phone()
    server.string = "Ab12"
    shown = type_in(running, console, "update lsc", "Ab12")
    assert shown.index("Type the authentication string") < shown.index("lsc accepted installed")
    running, server, console = phone()
    shown = type_in(running, console, "update lsc", "", "show lsc")
    assert "CAPF was not asked." in shown and "LSC: not installed" in shown and server.sessions == 0


def test_update_without_a_string():
    running, server, console = phone(mode=2, does=None)
    shown = type_in(running, console, "update lsc")
    assert "lsc accepted no-action" in shown and server.sessions == 2
    shown = type_in(running, console, "update", "update mic", "update lsc a b")
    assert shown.count("is no command") == 3


def test_menu():
    running, server, console = phone(mode=2, does=None)
    shown = type_in(running, console, "menu", "1", "2", "1", "2", "0")
    assert "Settings > Security > LSC" in shown and "LSC: not installed" in shown
    assert "lsc accepted no-action" in shown
    assert shown.rstrip().endswith("0  Back"), "back in Security"


def test_nothing_else_happens_while_erasing_is_asked():
    running, server, console = phone()
    shown = type_in(running, console, "erase all", "update lsc 1")
    assert "Nothing was erased." in shown and server.sessions == 0


def test_the_phone_asks_again_by_itself():
    running, server, console = phone(mode=2)
    assert running.boot.identity.lsc is not None
    world, server = enrolling(configuration(mode=2))
    server.ends = (0, ((12, b"\0\x05"),))
    running = Phone(world.hal, world.settings)
    assert running.start() is False
    server.ends = None
    console = world.hal.console
    console.type("help", 20000)
    shown = type_in(running, console)
    assert "asking CAPF again" in shown and "lsc accepted installed" in shown
    assert server.sessions == 2
