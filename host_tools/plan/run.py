# SPDX-License-Identifier: MIT
"""A plan, carried out on paper: what each group of phones does after each step, which are locked out, and a safe order."""

from dataclasses import dataclass, replace

from host_tools.plan.document import parse_step
from host_tools.plan.errors import PlanError
from host_tools.plan.paper import LOCKED

#: Steps and boots that a search for a safe order may try (a boot takes some 10 ms), and restarts of all phones it may add.
MOST_TRIED, MOST_BOOTS, MOST_ADDED = 400, 2000, 3
RESTART_ALL = parse_step("restart all phones")


@dataclass
class Group:
    """Phones that hold the same lists and reach the same servers. count: how many. start: their paper.Held before the plan."""

    batch: str
    online: bool
    start: object
    count: int = 0
    example: str = ""


@dataclass
class Moment:
    """After a step (number 0: before the plan): verdicts: [Verdict] by group; restarted: [bool], whether the group
    restarted in this step; if not, the verdict says what it would do. problem: why the step could not be done, or None."""

    number: int
    text: str
    verdicts: list
    restarted: list
    problem: str | None = None


def carry_out(world, steps, groups):
    """[Moment] of a plan. A step that a cluster cannot do is noted in its Moment, and the next steps are carried out."""
    held = [group.start for group in groups]
    moments = [_moment(world, 0, "before the plan", held, [False] * len(groups))]
    for number, step in enumerate(steps, 1):
        problem = None
        try:
            held, restarted, moment = take(world, step, groups, held)
        except PlanError as error:
            problem, restarted, moment = str(error), [False] * len(groups), None
        moments.append(_moment(world, number, step.text, held, restarted, problem, moment))
    return moments


def take(world, step, groups, held):
    """(what groups then hold, which of them restarted, their Verdicts) after a step. PlanError where it cannot be done."""
    named = [step["batch"] in (None, group.batch) for group in groups]
    touched = [now and group.online for now, group in zip(named, groups, strict=True)]
    if step.word == "move":
        home, alone = step.named_cluster("to"), bool(step["alone"])
        held = _changed(held, touched, home=home, servers=(), alone=alone)
    elif step.word == "node":
        number = int(step["number"])
        count = world.nodes(held)
        if not 0 < number <= count:
            raise PlanError(f"node {number} does not exist; there are nodes 1 to {count}")
        held = _changed(held, touched, servers=(number, *(each for each in range(1, count + 1) if each != number)))
    elif step.word == "erase":  # a person does it at the phone, which then starts if it is online
        held = _changed(held, named, itl=None, ctl=None, kept=None)
    elif step.word != "restart-phones":
        world.apply(step)
        touched = [False] * len(groups)
    verdicts = [world.verdict(each) for each in held]
    held = [verdict.then if now else each for each, verdict, now in zip(held, verdicts, touched, strict=True)]
    return held, touched, verdicts


def _changed(held, touched, **values):
    return [replace(each, **values) if now else each for each, now in zip(held, touched, strict=True)]


def _moment(world, number, text, held, restarted, problem=None, verdicts=None):
    return Moment(number, text, verdicts or [world.verdict(each) for each in held], restarted, problem)


def first_lockout(moments):
    """The number of the first step that locks out phones which were not locked out before the plan, or None."""
    before = _locked(moments[0].verdicts)
    return next((moment.number for moment in moments[1:] if _locked(moment.verdicts) - before), None)


def _locked(verdicts):
    return {number for number, verdict in enumerate(verdicts) if verdict.outcome == LOCKED}


class Search:
    """Looks for an order of the steps in which no group that is online is ever locked out, whenever it restarts.

    Steps of one family keep their order, and a last restart stays the last step; restarts of all phones may be added.
    The search begins near the given order. If it finds nothing, it tries the given order with restarts
    added. order: [Step] or None; complete: whether all orders were tried."""

    def __init__(self, world, steps, groups, start):
        self._world = world
        self._steps = steps
        self._last = (
            len(steps) - 1 if steps[-1].word == RESTART_ALL.word else None
        )  # the last restart shows that all went well
        self._groups = groups
        self._before = _locked([world.verdict(group.start) for group in groups])
        self._online = {number for number, group in enumerate(groups) if group.online}
        self._most_boots = world.boots + MOST_BOOTS
        self.tried = 0
        self.complete = True
        self.order = None
        for added in range(MOST_ADDED + 1):
            world.use(start)
            self.order = self._go([], list(range(len(steps))), [group.start for group in groups], added)
            if self.order is not None or not self.complete:
                break
        if self.order is None:
            world.use(start)
            self.order = self._repair()
        world.use(start)

    def _repair(self):
        """The given order with a restart of all phones before each step that needs one to be safe, or None."""
        done, held, added = [], [group.start for group in self._groups], 0
        for step in self._steps:
            here = self._world.snapshot()
            then = self._safe_step(step, held)
            if then is None and added < MOST_ADDED:
                self._world.use(here)
                restarted = self._safe_step(RESTART_ALL, held)
                then = None if restarted is None else self._safe_step(step, restarted)
                done.append(RESTART_ALL)
                added += 1
            if then is None:
                return None
            done.append(step)
            held = then
        return done

    def _safe_step(self, step, held):
        """What groups hold after a step that can be done and locks out no phone, else None."""
        try:
            then, _restarted, verdicts = take(self._world, step, self._groups, held)
        except PlanError:
            return None
        return None if (_locked(verdicts) & self._online) - self._before else then

    def _go(self, done, left, held, added):
        if not left:
            return done
        candidates = [number for number in left if not self._waits(number, left)]
        options = [(number, self._steps[number]) for number in candidates]
        if added and done and done[-1].word != RESTART_ALL.word:
            options.append((None, RESTART_ALL))
        here = self._world.snapshot()
        for number, step in options:
            if self.tried >= MOST_TRIED or self._world.boots > self._most_boots:
                self.complete = False
                return None
            self.tried += 1
            self._world.use(here)
            then = self._safe_step(step, held)
            if then is None:
                continue
            rest = [each for each in left if each != number]
            found = self._go([*done, step], rest, then, added - (number is None))
            if found is not None:
                return found
        return None

    def _waits(self, number, left):
        if number == self._last and len(left) > 1:
            return True
        family = self._steps[number].family
        return any(each < number and self._steps[each].family == family for each in left)
