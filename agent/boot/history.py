# SPDX-License-Identifier: MIT
"""Keeps the last decisions of a phone for its status, and reports each decision."""

#: How many decisions are kept for the status.
LIMIT = 16


class History:
    """The last `limit` decisions. decisions: oldest first. report(decision): called with each decision, or None."""

    def __init__(self, report=None, limit=LIMIT):
        self.decisions = []
        self._report = report
        self._limit = limit

    def record(self, decision):
        """Keep a decision and report it. Returns the decision, packed and without its trust list, to save memory."""
        decision.trust_list = None  # the next list needs its memory
        self.decisions.append(decision)
        if len(self.decisions) > self._limit:
            self.decisions.pop(0)
        if self._report:
            self._report(decision)
        decision.pack()
        return decision
