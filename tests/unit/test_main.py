# SPDX-License-Identifier: MIT
"""The phone's main program: its log, its console, and that nothing a person types ends it."""

import json

from agent.main import Phone
from agent.settings import Settings
from hal.fake import Hal
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import library
from tests.helpers.agent.phone_world import FLASH, SERVER, TftpServer
from tests.unit.test_boot import SIGNED, cluster


def make_phone(files, *lines):
    """A phone; these lines will be typed at its console, then the input ends."""
    hal = Hal(library(), size=FLASH)
    hal.net.serve_udp(SERVER, 69, TftpServer(files))
    phone = Phone(hal, Settings({"mac": "00270DC01C92", "tftp": [SERVER]}))
    for line in lines:
        hal.console.type(line)
    hal.console.end()
    return phone


def log(phone):
    """The lines of its console."""
    return phone.hal.console.output.split("\n")


def test_each_decision_is_a_line():
    phone = make_phone(cluster())
    assert phone.start() is True
    lines = log(phone)
    assert "notice" in lines[0] and "SEP00270DC01C92" in lines[0]
    told = [line for line in lines if "accepted" in line]
    assert [line[21:].split(": ")[0] for line in told] == [
        "ctl accepted not-found",
        "itl accepted first-use",
        SIGNED + " accepted signed-by-itl",
    ]
    assert [line for line in lines if "warning" in line and "SHA-1" in line]
    assert "state trusted, mode mixed" in lines[-2] and lines[-1] == ""


def test_a_refusal_and_the_lockout_are_errors():
    files = cluster()
    phone = make_phone(files)
    phone.start()
    files["ITLFile.tlv"] = vector("bad-signature-bit.tlv")
    assert phone.boot.run() is False
    phone._summary()
    lines = log(phone)
    assert [line for line in lines if "error" in line and "itl refused bad-signature" in line]
    assert "locked out" in lines[-2] and "error" in lines[-2]


def test_status_at_the_console_is_one_line_of_json():
    phone = make_phone(cluster(), "show status")
    phone.start()
    phone.serve()
    line = [line for line in log(phone) if line.startswith("{")][0]
    assert json.loads(line)["state"] == "trusted" and line == phone.status_json()


def test_a_command_without_memory_is_told_and_the_next_one_is_taken():
    phone = make_phone(cluster(), "restart", "show security")

    def no_memory():
        raise MemoryError()

    phone.restart = no_memory
    phone.start()
    phone.serve()
    lines = log(phone)
    assert [line for line in lines if "error" in line and "not enough memory" in line]
    assert [line for line in lines if line.startswith("State") and "trusted" in line]


def test_a_restart_typed_fetches_again():
    files = cluster()
    phone = make_phone(files, "restart")
    phone.start()
    files["ITLFile.tlv"] = vector("itl-sha512.tlv")
    phone.serve()
    assert [line for line in log(phone) if "itl accepted signed-by-itl" in line]
