# SPDX-License-Identifier: MIT
"""The phone's program on a board: makes the HAL of what the start scripts found, boots the agent and keeps it going.

The scripts (host_tools/image/rootfs) leave these in one folder: phone.json and mic.pem (from the card, if they are there),
mac, network.json (from DHCP), store (a link to the raw partition). On a board they own that folder, and the agent writes to
`agent` in it: its socket, certificates for other programs, and `alive`, which it touches and which keeps the watchdog fed.

`micropython boards/phone.py FOLDER` runs the phone anywhere, with another such folder whose store is a file of a fixed size;
where that has no folder `agent`, all is in the one folder.
"""

import asyncio
import json
import os
import sys

from agent.flash.buffers import SIZE

BUFFER = bytearray(SIZE)  # before the rest of the program is in memory: agent/flash/buffers.py

from agent import settings as agent_settings
from agent.errors import SettingsError
from agent.formats import bootenv
from agent.main import ERROR, Phone
from agent.trust.loads import Software
from hal import device
from hal.device.libc import libc
from hal.files import Files, Published

STATE = "/run/phone"
TURN = 5000  # ms between two signs of life
BOOTS = ("normal", "trial", "refused", "unconfirmed", "fallback")  # what U-Boot says; started without it: nothing
LAST = 1 << 20  # bytes at the end of a slot's partition that are no slot
ENVIRONMENT = 65536  # bytes from that end to the copy of the environment


class SupervisedBoard(device.Board):
    """A board whose watchdog is fed by a script for as long as `alive` is touched."""

    def __init__(self, own, mac, model):
        device.Board.__init__(self, mac, model)
        self._alive = own + "/alive"

    def watchdog(self):
        """Show life."""
        with open(self._alive, "w") as file:
            file.write("1")


class Loads:
    """The slots of the card as the start scripts left them: links slot-a and slot-b to their partitions, each with a copy of
    U-Boot's environment near its end (host_tools/image/board.py); and what U-Boot said of this start, slot and boot."""

    def __init__(self, state, own):
        self.running = read(state + "/slot")
        self.boot = read(state + "/boot")
        self.slots = {}
        self.environment = []
        for name in ("a", "b"):
            path = "%s/slot-%s" % (state, name)
            whole = device.Flash(path)
            size = whole.size
            whole.close()
            self.slots[name] = device.Flash(path, 0, size - LAST)
            self.environment.append(device.Flash(path, size - ENVIRONMENT, bootenv.SIZE))
        self._own = own

    def confirmed(self):
        """Tell the script that watches over the trial."""
        with open(self._own + "/confirmed", "w") as file:
            file.write("1")


def make_loads(state, own):
    """What this phone needs to replace its own software: (hal.loads, Software), or (None, None) where no boot loader with
    slots started it."""
    name = os.getenv("LOAD")
    if read(state + "/boot") not in BOOTS or not name:
        return None, None
    certificates = []
    for number in (1, 2):
        try:
            with open("%s/image-%d.der" % (os.getenv("IMAGE_KEYS") or ".", number), "rb") as file:
                certificates.append(file.read())
        except OSError:
            pass  # there need not be a spare
    return Loads(state, own), Software(name, os.getenv("BOARD") or "", os.getenv("FLOOR") or "", certificates)


def read(path, default=""):
    """Text of a file of the scripts, without the line end; the default where there is none."""
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return default


def dhcp_servers(text):
    """The TFTP servers of network.json: those of option 150, else that of option 66. What is no server is left out: DHCP is
    anybody's on the network, and must not end the agent."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = {}
    servers = []
    for option in ("option150", "option66"):
        values = found.get(option) if isinstance(found, dict) else None
        for item in values if isinstance(values, list) and not servers else ():
            try:
                if isinstance(item, str):
                    servers.append(agent_settings.server(item))
            except ValueError:
                pass
    return servers


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


def own_folder(state):
    """Where the agent writes."""
    try:
        os.stat(state + "/agent")
    except OSError:
        return state
    return state + "/agent"


def make_files(folder):
    """The folder for files of other programs, where there is one."""
    try:
        os.stat(folder)
    except OSError:
        return None
    return Files(folder)


def make_published(folder):
    """The folder for certificates that other programs read."""
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it is there, or writing to it says what is wrong
    return Published(folder)


def make_phone(hal, settings, servers, origin, mic, software=None):
    """The phone, without a MIC where mic.pem cannot be used."""
    user, group = libc.func("i", "getuid", "")(), libc.func("i", "getgid", "")()
    if mic:
        from agent.flash.identity import parse_pem

        try:
            return Phone(hal, settings, servers, origin, parse_pem(mic), user, group, software, BUFFER)
        except ValueError as error:
            say(hal, origin, "bad-mic: mic.pem: %s" % error)
    return Phone(hal, settings, servers, origin, user=user, group=group, software=software, buffer=BUFFER)


def say(hal, origin, text):
    """A line of the log before there is a phone."""
    now = hal.clock.monotonic() - origin
    hal.console.write("[%6d.%03d] %-7s %s\n" % (now // 1000, now % 1000, ERROR, text))


def since_power_on():
    """Milliseconds, as the kernel's own messages count."""
    return int(float(read("/proc/uptime", "0").split()[0]) * 1000)


async def wait_for_person(hal):
    """Show life until the board restarts; a person edits the card."""
    while True:
        hal.board.watchdog()
        await hal.clock.sleep(TURN)


async def main(state):
    """Run the phone. Does not return."""
    if state == STATE and libc.func("i", "getuid", "")() == 0:
        raise SystemExit("the agent never runs as root on a board")
    own = own_folder(state)
    board = SupervisedBoard(own, read(state + "/mac"), os.getenv("MODEL") or "")
    loads, software = make_loads(state, own)
    flash, files = device.Flash(state + "/store"), make_files(state + "/files")
    published = make_published(own + "/certificates")
    hal = device.Hal(board=board, flash=flash, files=files, published=published, loads=loads)
    origin = hal.clock.monotonic() - since_power_on()
    try:
        settings = load_settings(read(state + "/phone.json"), board.mac, board.model)
        servers = dhcp_servers(read(state + "/network.json"))
    except SettingsError as error:
        say(hal, origin, "bad-settings: %s" % error)
        await wait_for_person(hal)  # nothing is fetched by guess
    phone = make_phone(hal, settings, servers, origin, read(state + "/mic.pem"), software)
    await phone.run(hal.net.listen_local(own + "/trust.sock"))


def start():
    """Run the phone of the folder that the command line names. Does not return."""
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else STATE))


if __name__ == "__main__":
    start()
