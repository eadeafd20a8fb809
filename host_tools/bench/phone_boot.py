# SPDX-License-Identifier: MIT
"""What the subjects about a whole boot share: a cluster's files, a phone of the host's HAL, and what is counted of it."""

import asyncio

from agent import settings as agent_settings
from agent.main import Phone
from hal.host import Board, Flash, Hal

MAC = "00270DC01C92"
FLASH_SIZE = 1 << 20
BLOCK, PLAIN_BLOCK = 1428, 512


def publish(cluster, folder):
    """Copy what node 1 of the cluster hands out for the phone to `folder`: {name: size}."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ["CTLFile.tlv", "ITLFile.tlv", f"SEP{MAC}.cnf.xml.sgn"]
    sizes = {}
    for name in names:
        sizes[name] = (folder / name).write_bytes(cluster.handed_out(name))
    return sizes


def asked_for():
    """The names that a phone asks for in a boot that finds everything, in order."""
    return [f"CTLSEP{MAC}.tlv", "CTLFile.tlv", f"ITLSEP{MAC}.tlv", "ITLFile.tlv", f"SEP{MAC}.cnf.xml.sgn"]


def blocks(size, block=BLOCK):
    """DATA packets of a file; the last one is shorter than a block, if need be empty."""
    return size // block + 1


class CountedUdp:
    """A UDP socket of the HAL that counts datagrams."""

    def __init__(self, socket, counts):
        self._socket = socket
        self._counts = counts
        self.close = socket.close

    def send(self, data, address):
        """As the socket's; counted."""
        self._counts["packets"] += 1
        self._socket.send(data, address)

    async def receive_into(self, buffer, deadline):
        """As the socket's; counted where something came."""
        found = await self._socket.receive_into(buffer, deadline)
        if found is not None:
            self._counts["packets"] += 1
        return found


class QuietConsole:
    """A console that nobody reads."""

    def write(self, text):
        """Nothing."""


class BootedPhone:
    """A phone whose flash is a file in `folder`; each boot() is a start of the program. counts: packets of UDP, connections
    of TCP and writes to flash since the last reset()."""

    def __init__(self, folder, server):
        self._settings = agent_settings.Settings({"mac": MAC, "tftp": [f"{server[0]}:{server[1]}"]})
        self._flash = folder / "flash"
        self.counts = {}
        self.reasons = []
        self.reset()

    def reset(self):
        """Count anew."""
        self.counts.update(packets=0, connections=0, writes=0)

    def boot(self):
        """One start: True where all was accepted. `reasons` has those of the decisions."""
        flash = Flash(self._flash, FLASH_SIZE)
        hal = Hal(board=Board(MAC, "8861"), flash=flash, console=QuietConsole())
        self._count(hal)
        phone = Phone(hal, self._settings)
        good = asyncio.run(phone.work.boot())
        self.reasons = [decision.reason for decision in phone.history.decisions]
        flash.close()
        return good

    def _count(self, hal):
        counts, udp, tcp, write = self.counts, hal.net.udp, hal.net.tcp, hal.flash.write

        def counted_tcp(*arguments):
            counts["connections"] += 1
            return tcp(*arguments)

        def counted_write(offset, data):
            counts["writes"] += 1
            write(offset, data)

        hal.net.udp = lambda address: CountedUdp(udp(address), counts)
        hal.net.tcp = counted_tcp
        hal.flash.write = counted_write
