# SPDX-License-Identifier: MIT
"""A card with two slots and a boot loader, on both Pythons: what U-Boot does at each start (host_tools/image/uboot/boot.cmd), in
Python, so that a test can cut the power at each write of a whole update and start the phone again.

card = FakeCard(store=98304, slot=262144)
hal.flash, hal.loads = card.store, card.start(whole)      whole(slot region) -> whether the boot loader's check passes
"""

from agent.formats import bootenv
from hal.fake.flash import FakeFlash, FakeRegion


class FakeLoads:
    """hal.loads of one start. confirmations: how often confirmed() was called."""

    def __init__(self, card, running, boot):
        self.running = running
        self.boot = boot
        self.slots = card.slots
        self.environment = card.environment
        self.confirmations = 0

    def confirmed(self):
        """Count it."""
        self.confirmations += 1


class FakeCard:
    """flash: a FakeFlash of the whole card, as an earlier power loss left it; default: a blank card that starts from slot a.

    store, slots["a"], slots["b"], environment[0], environment[1]: its regions."""

    def __init__(self, store, slot, flash=None):
        size = bootenv.SIZE
        self.flash = flash if flash is not None else FakeFlash(store + 2 * slot + 2 * size)
        self.store = FakeRegion(self.flash, 0, store)
        self.slots = {
            "a": FakeRegion(self.flash, store, slot),
            "b": FakeRegion(self.flash, store + slot, slot),
        }
        start = store + 2 * slot
        self.environment = [FakeRegion(self.flash, start + at, size) for at in (0, size)]
        if flash is None:
            for copy in self.environment:
                copy.write(0, bootenv.encode(0, {"slot": "a"}))
            self.flash.sync()

    def start(self, whole):
        """What U-Boot does at power-on: FakeLoads of the slot that it starts; None where it cannot start a slot. PowerLost."""
        words = self.words()
        slot = "b" if words.get("slot") == "b" else "a"
        other = "a" if slot == "b" else "b"
        words["slot"] = slot
        if words.get("upgrade_available") == "1":
            tries = words.get("bootcount")
            if tries in ("0", "1"):
                words["bootcount"] = "1" if tries == "0" else "2"
                self._save(words)
                if whole(self.slots[other]):
                    return FakeLoads(self, other, "trial")
                words["rolled_back"] = "refused"
            else:
                words["rolled_back"] = "unconfirmed"
            words["upgrade_available"] = "0"
            self._save(words)
        boot = "normal"
        if words.get("rolled_back"):
            boot = "refused" if words["rolled_back"] == "refused" else "unconfirmed"
        if whole(self.slots[slot]):
            return FakeLoads(self, slot, boot)
        return FakeLoads(self, other, "fallback") if whole(self.slots[other]) else None

    def words(self):
        """The words of the environment; empty where no copy is whole."""
        found = self._copies()
        index = bootenv.newest(found)
        return dict(found[index][1]) if index is not None else {}

    def _copies(self):
        found = []
        for copy in self.environment:
            data = bytearray(bootenv.SIZE)
            copy.read_into(0, data)
            found.append(bootenv.decode(data))
        return found

    def _save(self, words):
        found = self._copies()
        index = bootenv.newest(found)
        counter = 0 if index is None else (found[index][0] + 1) & 0xFF
        copy = self.environment[0 if index is None else 1 - index]
        copy.write(0, bootenv.encode(counter, words))
        copy.sync()
