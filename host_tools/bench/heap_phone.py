# SPDX-License-Identifier: MIT
"""In MicroPython: heap_phone.py LISTS FLASH installs the CTL and the ITL of 64 KB each that LISTS has, and replaces both.

The network is the fake one, so nothing else is in the heap but the phone and one block; how much heap that takes is found by
starting this with less and less (host_tools/bench/size.py)."""

import sys

from agent.flash.buffers import SIZE

BUFFER = bytearray(SIZE)  # first of all, as boards/phone.py does

from agent.main import Phone
from agent.settings import Settings
from hal import device
from hal.fake import Hal

SERVER = "192.0.2.1"
LARGEST = 65536


class FileServer:
    """A TFTP server whose `files` are paths; one block of one file is in memory."""

    def __init__(self, net, files):
        self.net = net
        self.files = files
        self._file = None
        self._size = 512
        self._block = bytearray(4 + 1468)

    def __call__(self, packet, source, reply):
        self.net.sent.clear()
        if packet[1] == 1:
            parts = packet[2:].split(b"\0")
            path = self.files.get(parts[0].decode())
            if path is None:
                reply(b"\0\5\0\1no such file\0")
                return
            if self._file is not None:
                self._file.close()
            self._file = open(path, "rb")
            self._size = int(parts[parts.index(b"blksize") + 1])
            reply(b"\0\6blksize\0%d\0" % self._size)
        elif packet[1] == 4:
            self._send((packet[2] << 8 | packet[3]) + 1, reply)

    def _send(self, number, reply):
        view = memoryview(self._block)[: 4 + self._size]
        view[:4] = b"\0\3" + number.to_bytes(2, "big")
        self._file.seek((number - 1) * self._size)
        count = self._file.readinto(view[4:])
        if count or self._file.seek(0, 2) % self._size == 0:
            reply(view[: 4 + count])


def boot(phone):
    """One boot over the fake HAL, whose awaitables finish at once."""
    try:
        phone.work.boot().send(None)
    except StopIteration as done:
        return done.value


def write_nothing(text):
    """A console that keeps nothing."""


def main(lists, flash):
    """Install the old lists, then the new ones, then the old ones again."""
    files = {"SEP00270DC01C92.cnf.xml.sgn": lists + "/large.cnf.xml.sgn"}
    hal = Hal(device.crypto(), size=4096)
    hal.flash = device.Flash(flash)
    hal.console.write = write_nothing
    hal.net.serve_udp(SERVER, 69, FileServer(hal.net, files))
    phone = Phone(hal, Settings({"mac": "00270DC01C92", "tftp": [SERVER]}), buffer=BUFFER)
    for age in ("old", "new", "old"):
        files["CTLFile.tlv"] = "%s/large-ctl-%s.tlv" % (lists, age)
        files["ITLFile.tlv"] = "%s/large-%s.tlv" % (lists, age)
        if not boot(phone):
            raise SystemExit("refused: %s" % [each.reason for each in phone.history.decisions])
        trust = phone.judge.trust
        if len(trust.itl.data) != LARGEST or len(trust.ctl.data) != LARGEST:
            raise SystemExit("the lists have other sizes")
    print("installed and replaced")


main(sys.argv[1], sys.argv[2])
