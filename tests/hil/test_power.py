# SPDX-License-Identifier: MIT
"""What is left of the trust store when the power goes while it is written, and when it is no longer readable at all."""

import os
import time

import pytest

from hal.host import crypto
from host_tools.board import card as cards
from host_tools.image import provision
from tests.helpers.board.stores import store_of

CUTS = 20


class Watch:
    """Looks at the beginning of both slots of a card that the board writes to."""

    def __init__(self, path):
        size = len(cards.read_store(path))
        _, partition = cards.layout.boot_and_store(path)
        self._file = os.open(path, os.O_RDONLY)
        self._places = (partition.offset, partition.offset + size // 2)
        self._seen = self._look()

    def _look(self):
        return [os.pread(self._file, 65536, place) for place in self._places]

    def changed(self):
        """Whether anything was written since the last call."""
        before, self._seen = self._seen, self._look()
        return self._seen != before

    def await_change(self, limit=30):
        """Return at the first byte that is written."""
        end = time.monotonic() + limit
        while not self.changed():
            assert time.monotonic() < end, "the phone stored nothing"

    def await_rest(self):
        """Seconds from now until the last change before half a second without any."""
        begun = last = time.monotonic()
        while time.monotonic() < last + 0.5:
            if self.changed():
                last = time.monotonic()
        return last - begun

    def close(self):
        os.close(self._file)


@pytest.mark.needs("card", "power-cut")
@pytest.mark.timeout(400)
def test_power_cut_in_the_middle_of_a_store_write(phone, cluster, settings, measured):
    phone.new(**settings)
    phone.boot()
    with phone.card.in_pc() as path:
        watch = Watch(path)
    cluster.regenerate("capf")
    phone.type("restart")
    watch.await_change()
    duration = watch.await_rest()
    phone.await_state()
    assert phone.decisions()["itl"] == ("accepted", "signed-by-itl")
    measured("store_write_ms", round(duration * 1000))
    left = {"old": 0, "new": 0}
    for cut in range(CUTS):
        old = cluster.published("ITLFile.tlv")
        cluster.regenerate("capf")
        new = cluster.published("ITLFile.tlv")
        watch.changed()
        phone.type("restart")
        watch.await_change()
        end = time.monotonic() + 1.2 * duration * cut / (CUTS - 1)
        while time.monotonic() < end:
            pass  # a sleep is too coarse here
        if cut == CUTS - 1:
            watch.await_rest()  # however busy this machine is, one plug is pulled when all is written
        phone.strategy.transition("off")
        with phone.card.in_pc() as path:
            stored = store_of(cards.read_store(path)).load()  # raises TrustLost where nothing is whole
        found = "new" if bytes(stored.read("itl")) == new else "old"
        assert found == "new" or bytes(stored.read("itl")) == old, f"cut {cut}: neither the old list nor the new one"
        left[found] += 1
        assert phone.boot() == ("trusted", "nonsecure", False), f"cut {cut}"
        expected = "unchanged" if found == "new" else "signed-by-itl"
        assert phone.decisions()["itl"] == ("accepted", expected), f"cut {cut}"
    watch.close()
    measured("cuts_that_left", str(left))
    assert left["old"] and left["new"], f"all cuts came too early or too late: {left}"


@pytest.mark.needs("card")
def test_garbage_in_the_trust_store_is_lost_trust_until_a_person_erases_it(phone, settings):
    phone.new(**settings)
    phone.boot()
    phone.strategy.transition("off")
    with phone.card.in_pc() as path:
        size = len(cards.read_store(path))
        cards.write_store(path, bytes(range(1, 256)) * (size // 255))
    assert phone.boot() == ("trust-lost", "nonsecure", True)
    assert phone.decisions()["flash"] == ("refused", "trust-lost")
    assert phone.restart() == ("trust-lost", "nonsecure", True), "only a person brings it back"
    phone.type("erase all")
    phone.expect("Type yes")
    phone.type("yes")
    phone.expect("yes once more")
    phone.type("yes")
    phone.expect("flash accepted erased")
    assert phone.restart() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "first-use")


@pytest.mark.needs("card")
def test_a_provisioned_phone_takes_no_list_on_faith(phone, cluster, settings):
    phone.new(**settings, policy="provisioned-only")
    with phone.card.in_pc() as path:
        size = len(cards.read_store(path))
        cards.write_store(path, provision.trust_store(size, cluster.published_path("ITLFile.tlv"), None, crypto()))
    assert phone.boot() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "unchanged"), "the very list of its cluster, from the first boot on"
    phone.type("erase all yes yes")
    phone.expect("flash accepted erased")
    assert phone.restart() == ("no-trust", "nonsecure", True)
    assert phone.decisions()["itl"] == ("refused", "not-provisioned")
