# SPDX-License-Identifier: MIT
"""The first step of a boot: it takes what is installed from flash (docs/spec/rules.md, B1). A person erases it here, too."""

import gc

from agent.boot import outcomes
from agent.errors import PhonetrustError


class Installed:
    """Gives the judge what the keeper reads from flash."""

    def __init__(self, keeper, judge, history):
        self._keeper = keeper
        self._judge = judge
        self._history = history

    def run(self):
        """Take the installed trust, the configuration and the TVS servers from flash. Returns None, or the recorded Decision
        that they cannot be read whole."""
        self._judge.lose()  # until the new lists are read: the old lists free their memory first
        try:
            try:
                self._use()
            except MemoryError:
                gc.collect()
                self._use()
        except (PhonetrustError, ValueError, OSError) as error:
            # A list that was accepted earlier and cannot be read now is lost trust, too (D1).
            return self._history.record(outcomes.lose(error, self._judge))
        configuration = self._keeper.configuration
        self._judge.configure(configuration.tvs if configuration is not None else ())
        return None

    def _use(self):
        kept = self._keeper.load()
        self._judge.use(kept.itl, kept.ctl)

    def erase(self, what):
        """Remove "ctl" or "itl", or "all" back to factory state, because a person at the phone wants it. Returns a recorded
        Decision. Lost trust is always removed as a whole."""
        if self._judge.trust.lost:
            what = "all"
        try:
            self._keeper.erase(what)
        except outcomes.KEEPING_FAILS as error:
            return self._history.record(outcomes.not_erased(error, self._judge))
        self.run()
        return self._history.record(outcomes.erased(what))
