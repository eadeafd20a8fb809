# SPDX-License-Identifier: MIT
"""Procedures as lists of steps, each of which can be left out or swapped with the next one (guide_plays.py has them).

A play is run once as documented, once without each of its steps, and once with each two neighbours swapped. Before each
step the lab forecasts the phone's decisions after it; the phone must decide that, word for word. The result of each
variation is a row of docs/procedures.md.
"""

from types import SimpleNamespace

from host_tools.lab.errors import LabError


class Step:
    """said: the document's words. act(world): does the step. cluster: the name in the world of the cluster that it changes,
    so that the change can be proposed first; None for steps outside of the clusters."""

    def __init__(self, said, act, cluster="lab"):
        self.said = said
        self.act = act
        self.cluster = cluster


def boot(said="The phone restarts."):
    """A step: the phone restarts."""
    return Step(said, lambda world: world.boot(), None)


def judge(said, purpose, shown):
    """A step: the phone is to connect to a server; shown(world) is the certificate that it shows."""
    return Step(said, lambda world: world.judge(purpose, shown(world)), None)


class Play:
    """title; rule: in docs/spec/procedures.md. begin(procedure): a world. steps: those that are left out and swapped;
    last: what is done at the end in any case."""

    def __init__(self, title, rule, begin, steps, last):
        self.title = title
        self.rule = rule
        self.begin = begin
        self.steps = steps
        self.last = last

    def variations(self):
        """{name: the steps in their order}."""
        found = {"as documented": list(self.steps)}
        for index in range(len(self.steps)):
            found[f"without {index + 1}"] = self.steps[:index] + self.steps[index + 1 :]
        for index in range(len(self.steps) - 1):
            one, two = self.steps[index : index + 2]
            found[f"{index + 2} before {index + 1}"] = self.steps[:index] + [two, one] + self.steps[index + 2 :]
        return found


class World(SimpleNamespace):
    """The clusters of a play by name, its procedure and its folder; results: what was decided, in order."""

    def boot(self):
        """The phone restarts, and decides as the forecast said."""
        decisions = self.procedure.boot_as_foretold(self.foretold)
        self.results.append(telling(decisions))

    def judge(self, purpose, certificate):
        """The phone judges a server as the forecast said."""
        decision = self.procedure.judge_as_foretold(purpose, certificate)
        self.results.append(told("Server", decision))

    def do(self, step):
        """Do a step; the forecast is made before it where it changes a cluster."""
        try:
            if step.cluster is None:
                step.act(self)
                self.foretold = self.procedure.foretell()
                return
            cluster = getattr(self, step.cluster)
            with cluster.proposal() as proposed:
                step.act(self)
            self.foretold = self.procedure.foretell({cluster: proposed.state})
            cluster.accept(proposed)
        except LabError:
            self.results.append("the cluster refuses")


def run(play, steps, procedure):
    """Play these steps -> their result as one line."""
    world = play.begin(procedure)
    world.procedure, world.results, world.folder = procedure, [], procedure.folder
    world.foretold = procedure.foretell()
    for step in [*steps, *play.last]:
        world.do(step)
    return ", ".join(world.results)


def telling(decisions):
    """The most telling decision of a boot: the first refusal, else the first that changes anything, else the last."""
    refused = [item for item in decisions if item["outcome"] == "refused"]
    changed = [item for item in decisions if item["reason"] not in ("unchanged", "not-found")]
    item = (refused or changed or decisions)[0]
    what = "Configuration" if ".cnf.xml" in item["kind"] else item["kind"].upper()
    return told(what, item)


def told(what, decision):
    """A decision in a row of the document: refusals are bold."""
    reason = decision["reason"]
    return f"{what} {reason if decision['outcome'] == 'accepted' else f'**{reason}**'}"
