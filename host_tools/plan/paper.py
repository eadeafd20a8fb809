# SPDX-License-Identifier: MIT
"""The world of a plan: clusters on paper, and groups of phones that hold the same lists and reach the same servers.

A verdict is computed once for all phones of a group, and once for all groups that agree in everything that decides it."""

import hashlib
from dataclasses import dataclass, replace

from agent.errors import PhonetrustError
from agent.flash.keeper import Configuration
from agent.trust.reasons import locks_out
from host_tools.lab.errors import LabError
from host_tools.plan.clusters import Paper, open_cluster
from host_tools.plan.errors import PlanError

MOST_GROUPS = 5000
_UNKNOWN = "SEP.cnf.xml.sgn"  # the name of a configuration that a phone had before the plan
ACCEPTED, UNCHANGED, LOCKED, WAITS = "accepted", "unchanged", "locked-out", "waits"


@dataclass(frozen=True)
class Held:
    """What a group decides by. itl, ctl: SHA-256 or None. home: name of its cluster. kept: (name, TVS servers, TIMESTAMP)
    of the configuration it verified last, or None. servers: numbers of nodes. alone: the group does not reach the old cluster."""

    itl: str | None
    ctl: str | None
    home: str = ""
    kept: tuple | None = None
    servers: tuple = ()
    alone: bool = False


@dataclass(frozen=True)
class Verdict:
    """What phones do: ACCEPTED, UNCHANGED, LOCKED or WAITS; decisions: [(kind, outcome, reason, text)]; then: Held afterwards."""

    outcome: str
    decisions: tuple
    then: Held


class World:
    """path: folder of the plan's own cluster. others: {name: path}. PlanError where a cluster cannot be read."""

    def __init__(self, path, others, key_maker=None):
        self._paper = Paper(key_maker)
        self._keys = self._paper.keys
        self.clusters = {"": open_cluster(path, self._paper)}
        for name, folder in others.items():
            self.clusters[name] = open_cluster(folder, self._paper)
        self._check_addresses()
        self._contents: dict[str | None, bytes | None] = {None: None}
        self._version = 0
        self._last_version = 0
        self._verdicts = {}
        self.boots = 0  # how many were computed

    def _check_addresses(self):
        """PlanError where phones cannot tell two clusters apart."""
        seen = {}
        for name, each in self.clusters.items():
            for server in each.named_tvs():
                if seen.setdefault(server, name) != name:
                    who = (
                        f"the plan's cluster and cluster {name}" if seen[server] == "" else f"{seen[server]} and {name}"
                    )
                    raise PlanError(
                        f"{who} have the same TVS {server[0]}:{server[1]}; give one of them another address"
                    )

    def remember(self, content):
        """The key of a list's bytes, for Held."""
        if content is None:
            return None
        key = hashlib.sha256(content).hexdigest()
        if key not in self._contents:
            self._contents[key] = content
            self._paper.signatures.learn(content)
        return key

    def nodes(self, held):
        """The number of nodes of the smallest cluster among the homes of these phones."""
        return min(len(self.clusters[each.home].data["nodes"]) for each in held)

    @property
    def notes(self):
        """Sentences about what the files of the clusters do not tell."""
        return [note for each in self.clusters.values() for note in each.notes]

    @property
    def crypto(self):
        """The crypto of phones on paper."""
        return self._paper.crypto

    def first(self, itl, ctl, servers):
        """The Held of phones with these lists (bytes) before the plan."""
        kept = (_UNKNOWN, tuple(self.clusters[""].named_tvs()), None) if itl is not None else None
        return Held(self.remember(itl), self.remember(ctl), "", kept, servers)

    def snapshot(self):
        """A value from which use() brings the present state back."""
        return {name: each.snapshot() for name, each in self.clusters.items()}, self._keys.position, self._version

    def use(self, snapshot):
        """Go back to the state of a snapshot()."""
        clusters, self._keys.position, self._version = snapshot
        for name, each in clusters.items():
            self.clusters[name].use(each)

    def apply(self, step):
        """Carry out a step that concerns clusters, not phones. PlanError where it cannot be done; then nothing has changed."""
        before = self.snapshot()
        try:
            self.clusters[step.cluster].apply(step, self.clusters)
        except LabError as error:
            self.use(before)
            raise PlanError(str(error)) from None
        self._last_version += 1
        self._version = self._last_version

    def verdict(self, held):
        """The Verdict of phones that restart now."""
        key = (self._version, held)
        if key not in self._verdicts:
            self.boots += 1
            self._verdicts[key] = self._boot(held)
        return self._verdicts[key]

    def _boot(self, held):
        kept = held.kept and Configuration(held.kept[0], list(held.kept[1]), held.kept[2])
        others = [] if held.alone else [each for name, each in self.clusters.items() if name != held.home]
        itl, ctl = self._contents[held.itl], self._contents[held.ctl]
        try:
            phone = self.clusters[held.home].trial_phone(itl, ctl, kept, held.servers, others)
            found = [decision for decision in phone.boot() if decision.reason != "not-found"]
        except PhonetrustError as error:
            return Verdict(LOCKED, (("list", "refused", "malformed", f"no phone can hold this list: {error}"),), held)
        known = phone.configuration
        then = replace(
            held,
            itl=self.remember(phone.itl),
            ctl=self.remember(phone.ctl),
            kept=None if known is None else (known.name, tuple(map(tuple, known.tvs)), known.timestamp),
        )
        stand_in = self.clusters[held.home].stand_in

        def own(text):
            return text.replace(stand_in, "SEP<MAC>")

        refused = [decision.reason for decision in found if decision.accepted is False]
        if refused:
            outcome = LOCKED if any(map(locks_out, refused)) else WAITS
        else:
            outcome = UNCHANGED if (then.itl, then.ctl) == (held.itl, held.ctl) else ACCEPTED
        told = tuple((own(each.kind), each.outcome, each.reason, own(each.text)) for each in found)
        return Verdict(outcome, told, then)
