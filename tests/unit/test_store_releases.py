# SPDX-License-Identifier: MIT
"""Stores across releases: a phone with a new load finds what the old one wrote, and one that goes back survives what the new one
wrote. tests/vectors_own/make_stores.py keeps stores and reader of each release."""

import json
import sys

from agent.errors import TrustLost
from agent.flash.slot import SECTIONS
from agent.flash.store import Store
from hal.fake.flash import FakeFlash
from tests.helpers.agent.both import MICROPYTHON, ROOT, crypto, own_vector

RELEASES = ("0.1.0",)


def expected(release):
    return json.loads(str(own_vector("stores/%s/expected.json" % release), "utf-8"))


def digest(data):
    return crypto().digest("sha256", data).hex()


def content(stored):
    return {} if stored is None else {name: digest(stored.read(name)) for name in stored.names()}


def test_stores_of_all_releases_are_read():
    for release in RELEASES:
        for name, sections in expected(release).items():
            store = Store(FakeFlash(content=own_vector("stores/%s/%s.store" % (release, name))), crypto())
            assert content(store.load()) == sections, (release, name)


def test_stores_of_all_releases_go_on():
    for release in RELEASES:
        for name, sections in expected(release).items():
            flash = FakeFlash(content=own_vector("stores/%s/%s.store" % (release, name)))
            store = Store(flash, crypto())
            store.load()
            store.save({"load-trial": b"phonetrust-rpi3-0.2.0", "configuration-time": b"\x65\0\0\0"})
            again = content(Store(FakeFlash(content=flash.data), crypto()).load())
            assert {key: again[key] for key in sections} == sections and len(again) == len(sections) + 2, name


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
    if MICROPYTHON:
        return  # the interpreter has no modules from text; the bytes are the same
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
