# SPDX-License-Identifier: MIT
"""The store with a count: flash wears out, and no server decides how fast.

Two valid lists that a server hands out in turn cost a write at each boot. WRITES_AN_HOUR is far above what a phone needs
(a first boot writes three times, an update of everything four) and far below what wears a card out in years."""

from agent.errors import PhonetrustError

WRITES_AN_HOUR = 30
HOUR = 3600000  # ms


class TooManyWrites(PhonetrustError):
    """The flash was written too often in the last hour; nothing was written."""

    reason = "too-many-writes"


class CountedStore:
    """An agent.flash.store.Store whose save() works WRITES_AN_HOUR times in an hour of `clock`. written: how often it was
    since the start."""

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
        """As Store.load."""
        return self._store.load()

    def save(self, changes):
        """As Store.save; TooManyWrites where the hour's share is used up."""
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
        """As Store.erase; a person at the phone asked for it, so it always works."""
        self.written += 1
        self._store.erase()
