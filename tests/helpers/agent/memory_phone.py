# SPDX-License-Identifier: MIT
"""A whole phone whose heap holds little but the phone: its flash is a file, its server reads files block by block."""

import gc

from agent.flash.buffers import SIZE

BUFFER = bytearray(SIZE)  # as boards/phone.py makes it

from agent.main import Phone
from agent.settings import Settings
from hal import device
from hal.fake import Hal
from tests.helpers.agent.both import ROOT, run, temporary_path

SERVER = "192.0.2.1"
NAME = "SEP00270DC01C92.cnf.xml.sgn"
FLASH = 1 << 19
OWN = ROOT + "/tests/vectors_own/"
VECTORS = ROOT + "/tests/vectors/"


class FileServer:
    """A TFTP server whose `files` are paths."""

    def __init__(self, net, files):
        self.net = net
        self.files = files
        self._file = None
        self._block = bytearray(4 + 1468)
        self._size = 512

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
            number = (packet[2] << 8 | packet[3]) + 1
            view = memoryview(self._block)[: 4 + self._size]
            view[:4] = b"\0\3" + number.to_bytes(2, "big")
            self._file.seek((number - 1) * self._size)
            count = self._file.readinto(view[4:])
            if count or self._file.seek(0, 2) % self._size == 0:
                reply(view[: 4 + count])


def blank_flash():
    path = temporary_path()
    block = b"\xff" * 4096
    with open(path, "wb") as file:
        for _ in range(FLASH // 4096):
            file.write(block)
    return device.Flash(path)


def used(what):
    """Bytes of heap in use after a collection; also printed."""
    gc.collect()
    number = gc.mem_alloc()
    print("%-28s %7d bytes in use, %7d free" % (what, number, gc.mem_free()))
    return number


def make_phone(hal, **settings):
    settings["mac"] = "00270DC01C92"
    settings.setdefault("tftp", [SERVER])
    return Phone(hal, Settings(settings), buffer=BUFFER)


def boot(phone):
    """One boot; True where everything was accepted."""
    return run(phone.work.boot())


def reasons(phone):
    return [one.reason for one in phone.history.decisions]


def make_hal(files):
    hal = Hal(device.crypto(), size=4096)
    hal.flash = blank_flash()
    hal.net.serve_udp(SERVER, 69, FileServer(hal.net, files))
    hal.console.write = print_little
    return hal


def print_little(text):
    """A console that keeps nothing."""
