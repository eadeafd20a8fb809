# SPDX-License-Identifier: MIT
"""A phone with 512 KB of heap and the largest trust list there may be: 64 KB fetched, verified, stored and replaced.

The flash is a file, and the server reads its files block by block, so that the heap holds the phone and little else."""

import gc

from agent.main import Phone
from agent.settings import Settings
from agent.status import status
from hal import device
from hal.fake import Hal
from tests.unit.both import ROOT, temporary_path

HEAP = "512k"
PYTHONS = ("micropython",)

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
    """Bytes of heap in use after a collection; printed, for whoever wants to know."""
    gc.collect()
    number = gc.mem_alloc()
    print("%-28s %7d bytes in use, %7d free" % (what, number, gc.mem_free()))
    return number


def make_phone(hal, **settings):
    settings["mac"] = "00270DC01C92"
    settings["tftp"] = [SERVER]
    return Phone(hal, Settings(settings))


def reasons(phone):
    return [one.reason for one in phone.boot.decisions]


def make_hal(files):
    hal = Hal(device.crypto(), size=4096)
    hal.flash = blank_flash()
    hal.net.serve_udp(SERVER, 69, FileServer(hal.net, files))
    hal.console.write = print_little
    return hal


def print_little(text):
    """A console that keeps nothing."""


def test_the_largest_list_is_installed_replaced_and_loaded():
    used("modules loaded")
    files = {"ITLFile.tlv": OWN + "large-old.tlv", NAME: OWN + "large.cnf.xml.sgn"}
    hal = make_hal(files)
    phone = make_phone(hal)
    used("phone made")
    assert phone.start() is True, reasons(phone)
    assert reasons(phone) == ["not-found", "first-use", "signed-by-itl"]
    used("first boot")
    phone = None
    gc.collect()
    phone = make_phone(hal)
    assert phone.start() is True
    assert reasons(phone) == ["not-found", "unchanged", "signed-by-itl"]
    files["ITLFile.tlv"] = OWN + "large-new.tlv"
    phone.restart()
    assert reasons(phone)[3:] == ["not-found", "signed-by-itl", "signed-by-itl"], reasons(phone)
    assert len(phone.boot.trust.itl.data) == 65536
    used("list replaced")
    assert len(phone.boot.tvs.servers) == 6
    for file in ("ITLFile.tlv",):
        files[file] = OWN + "large-old.tlv"
    for _ in range(5):
        phone.restart()
        assert reasons(phone)[-2] in ("signed-by-itl", "unchanged")
    used("after more boots")
    assert status(phone.boot)["installed"]["itl"]["bytes"] == 65536
    assert len(phone.status_json()) > 1000


def test_a_ctl_beside_it():
    files = {"CTLFile.tlv": VECTORS + "ctl-mixed.tlv", "ITLFile.tlv": VECTORS + "itl-base.tlv"}
    files[NAME] = VECTORS + "cfg-sha512.cnf.xml.sgn"
    hal = make_hal(files)
    phone = make_phone(hal)
    assert phone.start() is True, reasons(phone)
    assert reasons(phone) == ["first-use", "signed-by-ctl", "signed-by-ctl"]
    used("CTL and ITL")
    files["ITLFile.tlv"] = OWN + "large-old.tlv"
    phone.restart()
    assert reasons(phone)[4] == "tvs-unreachable"
    files["ITLFile.tlv"] = VECTORS + "itl-over64k.tlv"
    phone.restart()
    assert reasons(phone)[7] == "too-large"
    used("after refusals")
