# SPDX-License-Identifier: MIT
"""Runs under MicroPython: bounds_probe.py SOFTWARE PROTOCOL NAME. A whole boot of a phone that has a hostile server before a good
one, and a line of JSON: ms of the phone's own clock until the second server is asked, heap that the boot took at most, flash
writes, outcome."""

import gc
import json
import os
import sys

from boards.start import mount

if __name__ == "__main__":
    mount(sys.argv[1])  # agent and hal, before anything imports them

from tests.helpers.agent import hostile_servers
from tests.helpers.agent.memory_phone import VECTORS, FileServer, boot, make_hal, make_phone, reasons

FIRST, SECOND, FILES_HOST = "192.0.2.1", hostile_servers.GOOD, "192.0.2.3"
OWN = "SEP00270DC01C92.cnf.xml.sgn"
FILES = {"ITLFile.tlv": VECTORS + "itl-base.tlv", OWN: VECTORS + "cfg-sha512.cnf.xml.sgn"}
NEW_SIGNER = {"ITLFile.tlv": VECTORS + "itl-tftpregen-selfsigned.tlv", OWN: VECTORS + "cfg-new.cnf.xml.sgn"}


class Heap:
    """The most that is in use beyond what was in use at the start, garbage excluded: seen whenever the phone looks at its clock
    for the first, second, fourth time and so on, and every EVERY times."""

    EVERY = 64

    def __init__(self, clock):
        gc.collect()
        self._before = gc.mem_alloc()
        self.most = 0
        self._looks = 0
        self._look = clock.monotonic
        clock.monotonic = self.monotonic

    def monotonic(self):
        """The clock, and a look at the heap."""
        self._looks += 1
        if not self._looks & (self._looks - 1) or not self._looks % self.EVERY:
            gc.collect()
            self.most = max(self.most, gc.mem_alloc() - self._before)
        return self._look()


class Watched:
    """A server that notes when it is asked first, and how often."""

    def __init__(self, server, clock):
        self.server = server
        self.clock = clock
        self.asked_at = None
        self.packets = 0

    def __call__(self, *arguments):
        if self.asked_at is None:
            self.asked_at = self.clock.monotonic()
        self.packets += 1
        self.server(*arguments)


class Forgetful(list):
    """The fake network's record of what was sent, which a small heap has no room for."""

    def append(self, item):
        """Keep nothing."""


def tftp(hal, name):
    """Both servers have TFTP."""
    first = Watched(hostile_servers.SERVERS[name], hal.clock)
    second = Watched(FileServer(hal.net, FILES), hal.clock)
    hal.net.serve_udp(FIRST, 69, first)
    hal.net.serve_udp(SECOND, 69, second)
    return first, second, make_phone(hal, tftp=[FIRST, SECOND])


def http(hal, name):
    """Both servers have HTTP; nobody has TFTP."""
    from tests.helpers.agent import hostile_streams

    first = Watched(hostile_streams.HTTP[name], hal.clock)
    second = Watched(Pages(FILES), hal.clock)
    hal.net.serve_tcp(FIRST, 6970, first)
    hal.net.serve_tcp(SECOND, 6970, second)
    return first, second, make_phone(hal, tftp=[FIRST, SECOND], file_transfer="http")


class Pages:
    """An HTTP server of files: name -> path."""

    def __init__(self, files):
        self.files = files

    def __call__(self, peer, data):
        if not data:
            return
        path = self.files.get(data.split(b" ", 2)[1].decode()[1:])
        if path is None:
            peer.say(b"HTTP/1.1 404 no\r\nContent-Length: 0\r\n\r\n")
            return
        size = os.stat(path)[6]
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        peer.more = Pieces(path)


class Pieces:
    """Says a file block by block, as the phone reads it."""

    def __init__(self, path):
        self.file = open(path, "rb")

    def __call__(self, peer):
        block = self.file.read(1024)
        if block:
            peer.say(block)
        else:
            peer.end()


def tvs(hal, name):
    """A phone with an ITL, a new ITL by a signer whom only TVS knows, and two TVS servers."""
    from tests.helpers.agent import hostile_streams
    from tests.helpers.agent.phone_world import TvsServer

    first = Watched(hostile_streams.TVS[name], hal.clock)
    second = Watched(TvsServer({"cucmnew.cert.pem": [0, 3]}), hal.clock)
    certificate = certificate_of("tvs.cert.pem")
    hal.net.serve_tcp(FIRST, 2445, first, certificate)
    hal.net.serve_tcp(SECOND, 2445, second, certificate)
    hal.net.serve_udp(FILES_HOST, 69, FileServer(hal.net, NEW_SIGNER))
    phone = make_phone(hal, tftp=[FILES_HOST])
    with open(VECTORS + "itl-base.tlv", "rb") as file:
        installed(phone, file.read())
    phone.keeper.keep_configuration(OWN, b"<device></device>", [(FIRST, 2445), (SECOND, 2445)], None)
    return first, second, phone


def capf(hal, name):
    """A phone with an ITL, a configuration that says to enrol, and two CAPF servers."""
    from tests.helpers.agent import enrolling, hostile_streams

    content = enrolling.configuration(2)
    one = content[content.index(b"<capf>") : content.index(b"</capf>") + 7]
    host = enrolling.CAPF_HOST.encode()
    both = one.replace(host, FIRST.encode()) + one.replace(host, SECOND.encode())
    kept = enrolling.signed(OWN, content.replace(one, both))
    first = Watched(hostile_streams.CAPF[name], hal.clock)
    second = Watched(enrolling.CapfServer(), hal.clock)
    certificate = certificate_of(enrolling.CAPF_CERTIFICATE)
    hal.net.serve_tcp(FIRST, enrolling.CAPF_PORT, first, certificate)
    hal.net.serve_tcp(SECOND, enrolling.CAPF_PORT, second, certificate)
    hal.net.serve_udp(FILES_HOST, 69, OneFile(OWN, kept))
    phone = make_phone(hal, tftp=[FILES_HOST])
    installed(phone, enrolling.itl())
    return first, second, phone


def dhcp(hal, name):
    """DHCP names servers of which the last one is good."""
    from agent.main import Phone
    from agent.settings import Settings
    from boards.phone import dhcp_servers

    first = Watched(hostile_servers.SERVERS["silent"], hal.clock)
    second = Watched(FileServer(hal.net, FILES), hal.clock)
    for host in hostile_servers.SILENT:
        hal.net.serve_udp(host, 69, first)
    hal.net.serve_udp(SECOND, 69, second)
    servers = dhcp_servers(json.dumps(hostile_servers.DHCP[name]))
    return first, second, Phone(hal, Settings({"mac": "00270DC01C92"}), servers)


class OneFile:
    """A TFTP server that has one file, in blocks of 512 bytes."""

    def __init__(self, name, content):
        self.name = name.encode()
        self.content = content

    def __call__(self, packet, source, reply):
        number = 1 if packet[1] == 1 else (packet[2] << 8 | packet[3]) + 1
        if packet[1] == 1 and packet[2:].split(b"\0")[0] != self.name:
            reply(b"\0\5\0\1no such file\0")
        elif packet[1] in (1, 4) and (number - 1) * 512 <= len(self.content):
            reply(b"\0\3" + number.to_bytes(2, "big") + self.content[(number - 1) * 512 : number * 512])


def certificate_of(name):
    """The DER of a certificate of the vectors."""
    from tests.helpers.agent.building import der

    return der(name)


def installed(phone, itl):
    """The phone has this ITL."""
    phone.keeper.store.load()
    phone.keeper.store.save({"itl": itl})


PROTOCOLS = {"TFTP": tftp, "HTTP": http, "TVS": tvs, "CAPF": capf, "DHCP": dhcp}


def probe(protocol, name):
    """One boot."""
    hal = make_hal({})
    hal.net.sent = Forgetful()
    first, second, phone = PROTOCOLS[protocol](hal, name)
    before = phone.keeper.store.written
    heap = Heap(hal.clock)
    begun = hal.clock.monotonic()
    good = boot(phone)
    return {
        "name": name,
        "good": good,
        "trusted": phone.judge.trust.has_trust and not phone.judge.trust.lost,
        "until_next": None if None in (first.asked_at, second.asked_at) else second.asked_at - first.asked_at,
        "boot": hal.clock.monotonic() - begun,
        "heap": heap.most,
        "packets": first.packets,
        "writes": phone.keeper.store.written - before,
        "reasons": reasons(phone),
    }


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[2], sys.argv[3])))
