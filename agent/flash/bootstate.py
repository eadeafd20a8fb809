# SPDX-License-Identifier: MIT
"""U-Boot and the phone talk to each other across a restart by the words of U-Boot's environment, which has two copies.

host_tools/image/uboot/boot.cmd is U-Boot's side. The phone writes the older copy with a higher counter and syncs it, so a
loss of power leaves the old words or the new words. fw_setenv does the same. It is done here so that tests can cut the power
at each write, since all writes go through the HAL, and so that the agent needs access only to these two regions."""

from agent.formats import bootenv

SLOTS = ("a", "b")


class BootState:
    """Reads and writes the words. copies: the two regions (hal.loads.environment), each of at least bootenv.SIZE bytes."""

    def __init__(self, copies):
        self._copies = copies

    def words(self):
        """The words, {name: value}; empty if no copy is whole. A copy that cannot be read counts as not whole."""
        found = self._read()
        index = bootenv.newest(found)
        return {} if index is None else found[index][1]

    def start_trial(self, running):
        """Let U-Boot start the other slot than `running` ("a" or "b") next, at most twice until confirm(). Raises OSError."""
        self._write({"slot": running, "upgrade_available": "1", "bootcount": "0"})

    def confirm(self, running):
        """Let U-Boot start the slot `running` from now on, and forget what the words say of the other slot. Raises OSError."""
        self._write({"slot": running})

    def _write(self, words):
        found = self._read()
        index = bootenv.newest(found)
        counter = 0 if index is None else (found[index][0] + 1) & 0xFF
        copy = self._copies[0 if index is None else 1 - index]
        copy.write(0, bootenv.encode(counter, words))
        copy.sync()

    def _read(self):
        found = []
        buffer = bytearray(bootenv.SIZE)
        for copy in self._copies:
            try:
                copy.read_into(0, buffer)
                found.append(bootenv.decode(buffer))
            except OSError:
                found.append(None)  # a copy that cannot be read counts as damaged
        return found


def other(slot):
    """The other slot: "b" for "a", "a" for "b"."""
    return SLOTS[1 - SLOTS.index(slot)]
