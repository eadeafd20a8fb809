# SPDX-License-Identifier: MIT
"""The last decisions of a phone, for its status; it reports each one."""

#: How many decisions are kept for the status.
LIMIT = 16


class History:
    """decisions: the last `limit` ones, oldest first. report(decision), if given, is called with each."""

    def __init__(self, report=None, limit=LIMIT):
        self.decisions = []
        self._report = report
        self._limit = limit

    def record(self, decision):
        """Keep a decision and report it. Returns it, without the memory that it held."""
        decision.trust_list = None  # its memory is needed for the next one
        self.decisions.append(decision)
        if len(self.decisions) > self._limit:
            self.decisions.pop(0)
        if self._report:
            self._report(decision)
        decision.pack()
        return decision
