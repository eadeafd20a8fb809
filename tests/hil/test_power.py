# SPDX-License-Identifier: MIT
"""The trust store after a loss of power in the middle of a write, and a store that cannot be read at all."""

import os

import pytest

from hal.host import crypto
from host_tools.board import card as cards
from host_tools.hil.phone import ConsoleError
from host_tools.image import provision
from tests.helpers.board import raw_card
from tests.helpers.board.stores import store_of

#: Pulled plugs, from the first sector of a write to its end; PHONETRUST_KILLS=20 for a finer look.
CUTS = int(os.environ.get("PHONETRUST_KILLS", "6"))
SECTOR = 512  # bytes
SECTORS = 10  # a second that the card takes: a busy PC sees them come, too


class Watch:
    """Looks at the beginning of both slots of a card that the board writes to."""

    def __init__(self, path):
        size = len(raw_card.read_store(path))
        _, partition = cards.layout.boot_and_store(path)
        self._file = os.open(path, os.O_RDONLY)
        self._places = (partition.offset, partition.offset + size // 2)
        self.mark()

    def _look(self):
        return [os.pread(self._file, SECTOR, place + at) for place in self._places for at in range(0, 65536, SECTOR)]

    def mark(self):
        """From now on."""
        self._before = self._look()

    def written(self):
        """How many sectors are not what they were."""
        return sum(before != now for before, now in zip(self._before, self._look(), strict=True))

    def close(self):
        os.close(self._file)


@pytest.mark.needs("card", "power-cut")
def test_power_cut_in_the_middle_of_a_store_write(phone, cluster, settings, measured):
    """The card is slowed down, so the cuts come at chosen sectors of the write, however fast this PC is."""
    if not getattr(phone.power, "board", None):
        pytest.skip("nobody sees what a real board writes to its card meanwhile")
    phone.new(**settings)
    phone.boot()
    with phone.card.in_pc() as path:
        watch = Watch(path)

    def store(sectors):
        """The phone stores a new list until so many sectors are written -> their number. None: until it says so."""
        cluster.regenerate("capf")
        watch.mark()
        phone.power.slow_card(SECTORS)
        phone.type("restart")
        while sectors is None or watch.written() < sectors:
            try:
                phone.expect("itl accepted signed-by-itl", 0.02)
                break
            except ConsoleError:
                assert "itl refused" not in phone.heard, phone.heard
        return watch.written()

    total = store(None)
    measured("sectors_of_a_store_write", total)
    assert total >= CUTS, "too few to cut between them"
    phone.boot()
    left = {"old": 0, "new": 0}
    for cut in range(CUTS):
        old = cluster.published("ITLFile.tlv")
        store(1 + total * cut // CUTS if cut < CUTS - 1 else None)
        new = cluster.published("ITLFile.tlv")
        phone.strategy.transition("off")
        with phone.card.in_pc() as path:
            stored = store_of(raw_card.read_store(path)).load()  # raises TrustLost where nothing is whole
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
        size = len(raw_card.read_store(path))
        raw_card.write_store(path, bytes(range(1, 256)) * (size // 255))
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
def test_a_provisioned_phone_takes_no_list_on_faith(phone, cluster, settings, tmp_path):
    phone.new(**settings, policy="provisioned-only")
    itl = tmp_path / "ITLFile.tlv"
    itl.write_bytes(cluster.published(itl.name))
    with phone.card.in_pc() as path:
        size = len(raw_card.read_store(path))
        raw_card.write_store(path, provision.trust_store(size, itl, None, crypto()))
    assert phone.boot() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "unchanged"), "the very list of its cluster, from the first boot on"
    phone.type("erase all yes yes")
    phone.expect("flash accepted erased")
    assert phone.restart() == ("no-trust", "nonsecure", True)
    assert phone.decisions()["itl"] == ("refused", "not-provisioned")
