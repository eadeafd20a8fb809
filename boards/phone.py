# SPDX-License-Identifier: MIT
"""The phone's program on a board. It makes the HAL from what the start scripts found, and runs the agent.

The scripts (host_tools/image/rootfs) leave these files in one folder: phone.json and mic.pem (from the card, if it has them),
mac, network.json (from DHCP), store (a link to the raw partition). On a board the scripts own that folder. The agent writes to
the folder `agent` in it: its socket, certificates for other programs, and `alive`, which it touches so that a script feeds the
watchdog.

`micropython boards/phone.py FOLDER` runs the phone anywhere, with another such folder, in which `store` is a file of a fixed
size. If that folder has no folder `agent`, the agent writes to the folder itself.
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
# The words of U-Boot; without U-Boot there is no word.
BOOTS = ("normal", "trial", "refused", "unconfirmed", "fallback")
LAST = 1 << 20  # bytes at the end of a slot's partition that do not belong to the slot
ENVIRONMENT = 65536  # the copy of the environment begins this many bytes before the end of the partition


class SupervisedBoard(device.Board):
    """A board on which a script feeds the watchdog as long as the agent touches `alive`."""

    def __init__(self, own, mac, model):
        device.Board.__init__(self, mac, model)
        self._alive = own + "/alive"

    def watchdog(self):
        """Touch `alive`. Raises OSError."""
        with open(self._alive, "w") as file:
            file.write("1")


class Loads:
    """The part `loads` of the HAL. The start scripts leave links slot-a and slot-b to the partitions of the slots, each of which
    has a copy of U-Boot's environment near its end (host_tools/image/board.py). The files slot and boot have U-Boot's words about
    this start."""

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
        """Tell the script that watches over the trial. Raises OSError."""
        with open(self._own + "/confirmed", "w") as file:
            file.write("1")


def make_loads(state, own):
    """(hal.loads, Software) of a phone that can replace its own software, or (None, None) if no boot loader with slots started
    it."""
    name = os.getenv("LOAD")
    if read(state + "/boot") not in BOOTS or not name:
        return None, None
    certificates = []
    for number in (1, 2):
        try:
            with open("%s/image-%d.der" % (os.getenv("IMAGE_KEYS") or ".", number), "rb") as file:
                certificates.append(file.read())
        except OSError:
            pass  # the spare certificate may be missing
    return Loads(state, own), Software(name, os.getenv("BOARD") or "", os.getenv("FLOOR") or "", certificates)


def read(path, default=""):
    """The text of a file of the scripts, without the line end, or the default if there is no such file."""
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return default


def dhcp_servers(text):
    """The TFTP servers of network.json (its text): those of option 150, else the server of option 66. Invalid servers are left
    out, because anyone on the network can answer DHCP and must not be able to stop the agent."""
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
    """The settings of phone.json (its text), with the board's MAC address and model if it has none. Raises SettingsError."""
    try:
        values = json.loads(text) if text else {}
    except ValueError:
        return agent_settings.parse(text, "phone.json")  # raises an error that says what is wrong
    if isinstance(values, dict):
        values.setdefault("mac", mac)
        values.setdefault("model", model)
    return agent_settings.Settings(values, "phone.json")


def own_folder(state):
    """The folder to which the agent writes."""
    try:
        os.stat(state + "/agent")
    except OSError:
        return state
    return state + "/agent"


def make_files(folder):
    """The part `files` of the HAL, or None if there is no such folder."""
    try:
        os.stat(folder)
    except OSError:
        return None
    return Files(folder)


def make_published(folder):
    """The part `published` of the HAL. The folder is made if it is missing."""
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it exists already, or writing to it will fail with an error
    return Published(folder)


def make_phone(hal, settings, servers, origin, mic, software=None):
    """The phone. If mic.pem cannot be used, a line of the log says why, and the phone has no MIC."""
    user, group = libc.func("i", "getuid", "")(), libc.func("i", "getgid", "")()
    if mic:
        from agent.flash.identity import parse_pem

        try:
            return Phone(hal, settings, servers, origin, parse_pem(mic), user, group, software, BUFFER)
        except ValueError as error:
            say(hal, origin, "bad-mic: mic.pem: %s" % error)
    return Phone(hal, settings, servers, origin, user=user, group=group, software=software, buffer=BUFFER)


def say(hal, origin, text):
    """Write a line of the log before there is a phone."""
    now = hal.clock.monotonic() - origin
    hal.console.write("[%6d.%03d] %-7s %s\n" % (now // 1000, now % 1000, ERROR, text))


def since_power_on():
    """Milliseconds since power-on, which is what the kernel's own messages count."""
    return int(float(read("/proc/uptime", "0").split()[0]) * 1000)


async def wait_for_person(hal):
    """Feed the watchdog until the board restarts, because a person has to edit the card."""
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
        await wait_for_person(hal)  # the phone fetches nothing with settings that it had to guess
    phone = make_phone(hal, settings, servers, origin, read(state + "/mic.pem"), software)
    await phone.run(hal.net.listen_local(own + "/trust.sock"))


def start():
    """Run the phone with the folder that the command line names. Does not return."""
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else STATE))


if __name__ == "__main__":
    start()
