# SPDX-License-Identifier: MIT
"""Runs under MicroPython (heap of 512 KB) and under CPython: for each hostile server in front of a good one a whole boot, and a
line of JSON: name, ms of the phone's own clock until the second server is asked, heap in use at most, flash writes, outcome."""

import gc
import json

from agent.main import Phone
from agent.settings import Settings
from hal.fake import Hal
from tests.helpers.agent.both import MICROPYTHON, run
from tests.helpers.agent.building import library
from tests.helpers.agent.clusters import cluster
from tests.helpers.agent.hostile_servers import SERVERS
from tests.helpers.agent.phone_world import TftpServer

FIRST, SECOND = "192.0.2.1", "192.0.2.2"
FLASH = 65536


class Watched:
    """A server that notes when it is asked first, and what the heap holds whenever a packet comes."""

    def __init__(self, server, clock):
        self.server = server
        self.clock = clock
        self.asked_at = None
        self.heap = 0
        self.packets = 0

    def __call__(self, packet, source, reply):
        if self.asked_at is None:
            self.asked_at = self.clock.monotonic()
        self.packets += 1
        if MICROPYTHON:
            self.heap = max(self.heap, gc.mem_alloc())
        self.server(packet, source, reply)


def probe(name):
    """One boot."""
    gc.collect()
    hal = Hal(library(), size=FLASH)
    first = Watched(SERVERS[name], hal.clock)
    second = Watched(TftpServer(cluster(ctl=None)), hal.clock)
    hal.net.sent = Forgetful()
    hal.net.serve_udp(FIRST, 69, first)
    hal.net.serve_udp(SECOND, 69, second)
    hal.console.write = lambda text: None
    phone = Phone(hal, Settings({"mac": "00270DC01C92", "tftp": [FIRST, SECOND]}))
    begun = hal.clock.monotonic()
    good = run(phone.work.boot())
    reasons = [one.reason for one in phone.history.decisions]
    return {
        "name": name,
        "good": good,
        "until_next": second.asked_at and second.asked_at - begun,
        "boot": hal.clock.monotonic() - begun,
        "heap": max(first.heap, second.heap),
        "packets": first.packets,
        "writes": phone.keeper.store.written,
        "reasons": reasons,
    }


class Forgetful(list):
    """The fake network's record of what was sent, which a small heap has no room for."""

    def append(self, item):
        """Keep nothing."""


if __name__ == "__main__":
    for each in sorted(SERVERS):
        print(json.dumps(probe(each)))
