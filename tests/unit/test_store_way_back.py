# SPDX-License-Identifier: MIT
"""A phone that goes back to an older load survives what the new one wrote. tests/vectors_own/make_stores.py keeps the reader of
each release."""

import sys

from agent.errors import TrustLost
from agent.flash.slot import SECTIONS
from agent.flash.store import Store
from hal.fake.flash import FakeFlash
from tests.helpers.agent.both import ROOT, crypto

PYTHONS = ("cpython",)  # MicroPython makes no modules from text; the bytes are the same
RELEASES = ("0.1.0",)


def old_reader(release):
    """Store of that release, with the modules that it had then."""
    folder = ROOT + "/tests/vectors_own/stores/%s/reader" % release
    names = ("agent", "agent.errors", "agent.store_layout", "agent.store")
    kept = {name: sys.modules.get(name) for name in names}
    module = type(sys)
    try:
        package = module("agent")
        package.__path__ = [folder]
        sys.modules["agent"] = package
        for name in names[1:]:
            sys.modules.pop(name, None)
        for name in names[1:]:
            found = module(name)
            sys.modules[name] = found
            with open(folder + "/" + name[6:] + ".txt") as file:
                exec(compile(file.read(), name, "exec"), found.__dict__)
        return sys.modules["agent.store"].Store, sys.modules["agent.errors"].TrustLost
    finally:
        for name in names:
            if kept[name] is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = kept[name]


def test_the_release_before_survives_what_this_one_writes():
    """It finds every section that it knows, keeps those that it does not, and never takes a store for a new phone's."""
    everything = {name: name.encode() * 50 for name in SECTIONS}
    for release in RELEASES:
        for changes in ({"itl": b"list" * 900}, everything, {"load-failed": b"phonetrust-rpi3-0.2.0"}):
            flash = FakeFlash(65536)
            store = Store(flash, crypto())
            store.load()
            store.save(changes)
            OldStore, OldTrustLost = old_reader(release)
            old = OldStore(FakeFlash(content=flash.data), crypto())
            stored = old.load()
            found = {
                tag: bytes(stored.read(stored.names()[index])) for index, (tag, _, _) in enumerate(stored.directory)
            }
            assert found == {SECTIONS[name]: changes[name] for name in changes}
            old.save({"ctl": b"of the old release"})
            again = Store(FakeFlash(content=old.flash.data), crypto()).load()
            for name in changes:
                if name != "ctl":
                    assert bytes(again.read(name)) == changes[name], name
            damaged = bytearray(flash.data)
            damaged[8192 + 10] ^= 1
            damaged[:512] = b"\xa5" * 512
            for Reader, Lost in ((OldStore, OldTrustLost), (Store, TrustLost)):
                try:
                    Reader(FakeFlash(content=damaged), crypto()).load()
                except Lost:
                    continue
                raise AssertionError("a damaged store was taken for a new phone's")
