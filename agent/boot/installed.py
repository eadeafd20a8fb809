# SPDX-License-Identifier: MIT
"""The first step of a boot: what is installed, from flash (docs/spec/rules.md, B1). And the way back: what a person erases."""

import gc

from agent.boot import outcomes
from agent.errors import PhonetrustError


class Installed:
    """Takes what the keeper reads from flash into the judge."""

    def __init__(self, keeper, judge, history):
        self._keeper = keeper
        self._judge = judge
        self._history = history

    def run(self):
        """Take the installed trust, the configuration and the TVS servers from flash. None, or the recorded Decision that
        says that they cannot be read whole."""
        self._judge.lose()  # until it is read; the old lists make room
        try:
            try:
                self._use()
            except MemoryError:
                gc.collect()
                self._use()
        except (PhonetrustError, ValueError, OSError) as error:
            # Also where an accepted list cannot be read any more: that is lost trust (D1).
            return self._history.record(outcomes.lose(error, self._judge))
        configuration = self._keeper.configuration
        self._judge.configure(configuration.tvs if configuration is not None else ())
        return None

    def _use(self):
        kept = self._keeper.load()
        self._judge.use(kept.itl, kept.ctl)

    def erase(self, what):
        """For a person at the phone: remove "ctl", "itl", or "all" back to factory state. A recorded Decision.

        Lost trust can only be removed as a whole."""
        if self._judge.trust.lost:
            what = "all"
        try:
            self._keeper.erase(what)
        except outcomes.KEEPING_FAILS as error:
            return self._history.record(outcomes.not_erased(error, self._judge))
        self.run()
        return self._history.record(outcomes.erased(what))
