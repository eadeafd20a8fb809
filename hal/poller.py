# SPDX-License-Identifier: MIT
"""Waiting for several things at once, on both Pythons: described in `hal/__init__.py`."""

import select


class Poller:
    """Waits for listeners, local streams and the console."""

    def __init__(self):
        self._poll = select.poll()
        self._things = {}

    def watch(self, thing, writing=False):
        """Wait until `thing` can be read, and with writing=True also until it can be written."""
        number = thing.fileno()
        flags = select.POLLIN | (select.POLLOUT if writing else 0)
        if number in self._things:
            self._poll.modify(number, flags)
        else:
            self._poll.register(number, flags)
        self._things[number] = thing

    def forget(self, thing):
        """Wait for it no more; to be called before it is closed. Nothing happens where it was not watched."""
        number = thing.fileno()
        if self._things.pop(number, None) is not None:
            self._poll.unregister(number)

    def wait(self, timeout):
        """[(thing, readable, writable)], empty after `timeout` ms; None waits without end."""
        found = []
        for event in self._poll.poll(-1 if timeout is None else timeout):
            number, flags = event[0], event[1]
            found.append((self._things[number], bool(flags & ~select.POLLOUT), bool(flags & select.POLLOUT)))
        return found
