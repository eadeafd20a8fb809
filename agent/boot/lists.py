# SPDX-License-Identifier: MIT
"""Two steps of a boot get the CTL and the ITL (docs/spec/rules.md, B3 and B4).

The phone asks for its own list (`ITLSEP<MAC>.tlv`) before the cluster's (`ITLFile.tlv`). A refused list ends the step; the
phone does not try the cluster's list after it. An accepted list is stored first and installed afterwards."""

from agent.boot import outcomes
from agent.fetch.errors import FetchError, NotFound
from agent.flash.buffers import BufferSink

_SAME_CLUSTER = ("signed-by-ctl", "signed-by-itl")


class ListStep:
    """Gets one list. kind: "ctl" or "itl". device: "SEP00270DC01C92". limit: bytes of a trust list."""

    good = True  # the decision alone says whether the step went well

    def __init__(self, kind, device, fetcher, judge, keeper, history, limit):
        self.name = kind
        self._device = device
        self._fetcher = fetcher
        self._judge = judge
        self._keeper = keeper
        self._history = history
        self._limit = limit

    async def run(self, deadline):
        """Fetch, judge and install the list. Returns a Decision, which is recorded. `deadline` is not used: the fetcher and the
        judge know when the boot ends."""
        buffer = self._keeper.take()
        try:
            for name in list_names(self.name, self._device):
                sink = BufferSink(buffer)
                try:
                    await self._fetcher.fetch(name, sink, self._limit)
                except NotFound:
                    continue
                except FetchError as failure:
                    return self._history.record(outcomes.failed(self.name, failure))
                decision = await self._judge.list(self.name, sink.data)
                if decision.accepted and decision.reason != "unchanged":
                    decision = self._install(decision)
                return self._history.record(decision)
            return self._history.record(outcomes.no_list(self.name, self._judge.trust))
        finally:
            self._keeper.give()

    def _install(self, decision):
        """Store the list, then put it in the place of the old one. Returns `decision`, or a refusal if storing fails."""
        trust_list = decision.trust_list
        try:
            self._keeper.keep_list(self.name, trust_list, decision.reason in _SAME_CLUSTER)
            self._judge.install(self.name, trust_list)
        except outcomes.KEEPING_FAILS as error:
            return outcomes.not_kept(self.name, error, self._judge, decision.evidence)
        return decision


def list_names(kind, device):
    """The names for which the phone asks the server, in order. kind: "ctl" or "itl". device: "SEP<MAC>"."""
    prefix = kind.upper()
    return "%s%s.tlv" % (prefix, device), "%sFile.tlv" % prefix
