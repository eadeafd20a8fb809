# SPDX-License-Identifier: MIT
"""What U-Boot and the phone tell each other across a restart: the words of U-Boot's environment, in two copies.

host_tools/image/uboot/boot.cmd has U-Boot's side. The copy that counts less is written, synced, and then counts more, so a
loss of power leaves the old words or the new ones. This is fw_setenv's work; it is done here so that every one of its writes
is one of the HAL's flash, which tests cut, and so that the agent needs no rights but to these two regions."""

from agent.formats import bootenv

SLOTS = ("a", "b")


class BootState:
    """copies: the two regions of flash (of the HAL), each of bootenv.SIZE bytes or more."""

    def __init__(self, copies):
        self._copies = copies

    def words(self):
        """{name: value}; empty where no copy is whole. OSError from the flash."""
        found = self._read()
        index = bootenv.newest(found)
        return {} if index is None else found[index][1]

    def start_trial(self, running):
        """The other slot than `running` ("a" or "b") is to be started next, at most twice, until confirm(). OSError."""
        self._write({"slot": running, "upgrade_available": "1", "bootcount": "0"})

    def confirm(self, running):
        """The slot that runs is the one to start from now on, and what was said of another one is done with. OSError."""
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
                found.append(None)  # a copy that cannot be read is no copy
        return found


def other(slot):
    """The name of the other slot."""
    return SLOTS[1 - SLOTS.index(slot)]
