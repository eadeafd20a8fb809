# SPDX-License-Identifier: MIT
"""Stores across releases: a phone with a new load finds what the old one wrote. tests/vectors_own/make_stores.py keeps the
stores of each release. The other way, from new to old: test_store_way_back.py."""

import hashlib
import json

from agent.flash.store import Store
from hal.fake.flash import FakeFlash
from tests.helpers.agent.both import crypto, own_vector, vector
from tests.helpers.agent.phone_world import World, own_pair

HEAP = "4m"
RELEASES = ("0.1.0",)


def expected(release):
    return json.loads(str(own_vector("stores/%s/expected.json" % release), "utf-8"))


def digest(data):
    return hashlib.sha256(data).digest().hex()


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


def test_a_phone_of_today_goes_on_where_a_phone_of_each_release_ended():
    """Its lists, its configuration's servers and its own certificate are there; without a server it decides nothing anew."""
    for release in RELEASES:
        flash = FakeFlash(content=own_vector("stores/%s/phone.store" % release))
        world = World({}, flash)
        assert world.load() is None and not world.trust.lost and world.trust.mode == "mixed"
        assert world.trust.ctl.is_same(vector("ctl-mixed.tlv")) and world.trust.itl.is_same(vector("itl-base.tlv"))
        assert world.configuration.name == "SEP00270DC01C92.cnf.xml.sgn"
        assert world.configuration.tvs == [("127.0.0.1", 2445)]
        assert world.identity.lsc == own_pair()
        assert not world.boot() and "ctl first-use" not in world.reasons() and world.trust.itl is not None
        assert flash.writes == 0, "nothing was decided that has to be kept"
