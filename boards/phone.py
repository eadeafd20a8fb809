# SPDX-License-Identifier: MIT
"""The phone's program on a board: makes the HAL of what the start scripts found, boots the agent and keeps it going.

The scripts (host_tools/image/rootfs) leave these in one folder: phone.json and mic.pem (from the card, if they are there),
mac, network.json (from DHCP), store (a link to the raw partition). It touches `alive` there, which keeps the
watchdog fed. `micropython boards/phone.py FOLDER` runs the phone anywhere, with another such folder whose store is a
file of a fixed size.
"""

import json
import os
import sys

from agent import settings as agent_settings
from agent.errors import SettingsError
from agent.main import ERROR, Phone
from hal import device
from hal.device.libc import libc
from hal.files import Files

STATE = "/run/phone"
TURN = 5000  # ms between two signs of life


class SupervisedBoard(device.Board):
    """A board whose watchdog is fed by a script for as long as `alive` is touched."""

    def __init__(self, state, mac, model, version, led):
        device.Board.__init__(self, mac, model, version, led=led)
        self._alive = state + "/alive"

    def watchdog(self):
        """Show life."""
        with open(self._alive, "w") as file:
            file.write("1")


class BoardPhone(Phone):
    """A phone that shows life with each line it prints."""

    def line(self, severity, text):
        """One line of the log."""
        self.hal.board.watchdog()
        Phone.line(self, severity, text)


def read(path, default=""):
    """Text of a file of the scripts, without the line end; the default where there is none."""
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return default


def dhcp_servers(text):
    """The TFTP servers of network.json: those of option 150, else that of option 66."""
    found = json.loads(text) if text else {}
    return [agent_settings.server(item) for item in found.get("option150") or found.get("option66") or []]


def load_settings(text, mac, model):
    """phone.json with the board's own MAC address and model where it has none. SettingsError."""
    try:
        values = json.loads(text) if text else {}
    except ValueError:
        return agent_settings.parse(text, "phone.json")  # says what is wrong
    if isinstance(values, dict):
        values.setdefault("mac", mac)
        values.setdefault("model", model)
    return agent_settings.Settings(values, "phone.json")


def make_files(folder):
    """The folder for files of other programs, where there is one."""
    try:
        os.stat(folder)
    except OSError:
        return None
    return Files(folder)


def make_phone(hal, settings, servers, origin, mic):
    """The phone, without a MIC where mic.pem cannot be used."""
    if mic:
        from agent.flash.identity import parse_pem

        try:
            return BoardPhone(hal, settings, servers, origin, parse_pem(mic))
        except ValueError as error:
            now = hal.clock.monotonic() - origin
            hal.console.write("[%6d.%03d] %-7s bad-mic: mic.pem: %s\n" % (now // 1000, now % 1000, ERROR, error))
    return BoardPhone(hal, settings, servers, origin)


def since_power_on():
    """Milliseconds, as the kernel's own messages count."""
    return int(float(read("/proc/uptime", "0").split()[0]) * 1000)


def main(state):
    """Run the phone. Does not return."""
    if state == STATE and libc.func("i", "getuid", "")() == 0:
        raise SystemExit("the agent never runs as root on a board")
    board = SupervisedBoard(
        state, read(state + "/mac"), os.getenv("MODEL") or "", os.getenv("VERSION") or "", os.getenv("LED") or None
    )
    hal = device.Hal(board=board, flash=device.Flash(state + "/store"), files=make_files(state + "/files"))
    origin = hal.clock.monotonic() - since_power_on()
    try:
        settings = load_settings(read(state + "/phone.json"), board.mac, board.model)
    except SettingsError as error:
        now = hal.clock.monotonic() - origin
        hal.console.write("[%6d.%03d] %-7s bad-settings: %s\n" % (now // 1000, now % 1000, ERROR, error))
        while True:  # a phone does not guess its settings; a person edits the card
            board.watchdog()
            hal.console.read_line(TURN)
    phone = make_phone(hal, settings, dhcp_servers(read(state + "/network.json")), origin, read(state + "/mic.pem"))
    phone.start()
    phone.serve(hal.net.listen_local(state + "/trust.sock"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else STATE)
