# SPDX-License-Identifier: MIT
"""Runs under MicroPython: bounds_probe.py NAME. A whole boot of a phone that has a hostile server in front of a good one, and a
line of JSON: ms of the phone's own clock until the second server is asked, heap in use at most, flash writes, outcome."""

import gc
import json
import sys

from tests.helpers.agent.hostile_servers import SERVERS
from tests.helpers.agent.memory_phone import VECTORS, FileServer, boot, make_hal, make_phone, reasons

FIRST, SECOND = "192.0.2.1", "192.0.2.2"
FILES = {
    "ITLFile.tlv": VECTORS + "itl-base.tlv",
    "SEP00270DC01C92.cnf.xml.sgn": VECTORS + "cfg-sha512.cnf.xml.sgn",
}


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
        self.heap = max(self.heap, gc.mem_alloc())
        self.server(packet, source, reply)


def probe(name):
    """One boot."""
    hal = make_hal({})
    first = Watched(SERVERS[name], hal.clock)
    second = Watched(FileServer(hal.net, FILES), hal.clock)
    hal.net.sent = Forgetful()
    hal.net.serve_udp(FIRST, 69, first)
    hal.net.serve_udp(SECOND, 69, second)
    phone = make_phone(hal, tftp=[FIRST, SECOND])
    gc.collect()
    begun = hal.clock.monotonic()
    good = boot(phone)
    return {
        "name": name,
        "good": good,
        "until_next": second.asked_at and second.asked_at - begun,
        "boot": hal.clock.monotonic() - begun,
        "heap": max(first.heap, second.heap),
        "packets": first.packets,
        "writes": phone.keeper.store.written,
        "reasons": reasons(phone),
    }


class Forgetful(list):
    """The fake network's record of what was sent, which a small heap has no room for."""

    def append(self, item):
        """Keep nothing."""


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1])))
