# SPDX-License-Identifier: MIT
"""Limits how often the store is written, because flash wears out and no server may decide how fast.

A server that hands out two valid lists in turn costs a write at each boot. WRITES_AN_HOUR is far above what a phone needs (a
first boot writes three times, an update of everything four times) and far below what would wear a card out within years."""

from agent.errors import PhonetrustError

WRITES_AN_HOUR = 30
HOUR = 3600000  # ms


class TooManyWrites(PhonetrustError):
    """The flash was written too often in the last hour; nothing was written."""

    reason = "too-many-writes"


class CountedStore:
    """An agent.flash.store.Store whose save() works at most WRITES_AN_HOUR times in an hour of `clock`. written: how often the
    store was written since the start."""

    def __init__(self, store, clock):
        self._store = store
        self._clock = clock
        self._times = []
        self.written = 0

    @property
    def current(self):
        """The stored state (agent.flash.slot.Stored), or None."""
        return self._store.current

    def load(self):
        """See Store.load."""
        return self._store.load()

    def save(self, changes):
        """See Store.save. Also raises TooManyWrites if the store was written WRITES_AN_HOUR times in the last hour."""
        now = self._clock.monotonic()
        self._times = [time for time in self._times if now - time < HOUR]
        if len(self._times) >= WRITES_AN_HOUR:
            wait = (HOUR - (now - self._times[0])) // 60000 + 1
            raise TooManyWrites(
                "the flash was written %d times in the last hour; it is written again in %d min"
                % (WRITES_AN_HOUR, wait)
            )
        self._times.append(now)
        self.written += 1
        return self._store.save(changes)

    def erase(self):
        """See Store.erase. It has no limit, because a person at the phone asked for it."""
        self.written += 1
        self._store.erase()
