# SPDX-License-Identifier: MIT
"""The answer about a plan, ready for JSON: counts and verdicts by step, first lock-out, safe order, phones to visit."""

from collections import Counter

from host_tools.lists.health import list_warnings, size_warning
from host_tools.plan.document import OF_PHONES
from host_tools.plan.errors import PlanError
from host_tools.plan.paper import ACCEPTED, LOCKED, UNCHANGED, WAITS
from host_tools.plan.run import RESTART_ALL, Search, carry_out, first_lockout

OUTCOMES = (ACCEPTED, UNCHANGED, WAITS, LOCKED)


def compute(plan, world, fleet, search=True):
    """Carry the plan out. plan: document.Plan. world: paper.World. fleet: groups.Fleet."""
    start = world.snapshot()
    moments = carry_out(world, plan.steps, fleet.groups)
    world.use(start)
    first = first_lockout(moments)
    impossible = [moment.number for moment in moments if moment.problem]
    safe = None
    if (first is not None or impossible) and search:
        safe = _safe(Search(world, plan.steps, fleet.groups, start), plan.steps)
    index, decisions = {}, []
    result = {
        "plan": plan.name,
        "phones": sum(group.count for group in fleet.groups),
        "safe": first is None and not impossible,
        "first_lockout": first,
        "impossible": impossible,
        "steps": [_step(moment, fleet.groups, index, decisions) for moment in moments],
        "groups": [
            {"phones": group.count, "batch": group.batch, "online": group.online, "example": group.example,
             "itl": group.start.itl, "ctl": group.start.ctl, "servers": list(group.start.servers)}
            for group in fleet.groups
        ],
        "decisions": decisions,
        "safe_order": safe,
        "visits": {
            number: _why(verdict)
            for number, verdict in enumerate(moments[-1].verdicts)
            if verdict.outcome == LOCKED
        },
        "bad_rows": [{"line": line, "text": text} for line, text in fleet.bad],
        "bad_row_count": fleet.bad_count,
    }  # fmt: skip
    result["visit_count"] = sum(fleet.groups[number].count for number in result["visits"])
    return result


def _step(moment, groups, index, decisions):
    counts = Counter()
    cells = []
    for group, verdict, restarted in zip(groups, moment.verdicts, moment.restarted, strict=True):
        counts[verdict.outcome] += group.count
        key = (verdict.outcome, verdict.decisions)
        if key not in index:
            index[key] = len(decisions)
            told = [dict(zip(("kind", "outcome", "reason", "text"), each, strict=True)) for each in verdict.decisions]
            decisions.append(told)
        cells.append({"outcome": verdict.outcome, "decisions": index[key], "restarted": restarted})
    return {
        "number": moment.number,
        "step": moment.text,
        "problem": moment.problem,
        "counts": {outcome: counts[outcome] for outcome in OUTCOMES},
        "groups": cells,
    }


def _safe(search, steps):
    if search.order is None:
        every = (
            "every order that keeps steps of one kind in theirs was tried" if search.complete else "not all were tried"
        )
        text = f"No safe order was found: {every}."
        return {"steps": None, "complete": search.complete, "text": text, "added": 0, "restart": RESTART_ALL.text}
    added = len(search.order) - len(steps)
    if search.order == steps:
        text = (
            "In this order no phone that is online is locked out, whenever it restarts: only phones that are off are. "
        )
        text += "Let them restart with the others, or visit them."
    else:
        text = f"A safe order, {_how(added)}: no phone that is online is locked out, whenever it restarts."
    return {
        "steps": [step.text for step in search.order],
        "complete": True,
        "text": text,
        "added": added,
        "restart": RESTART_ALL.text,
    }


def _how(added):
    """What a found order has beside the given steps."""
    return (
        f"with {added} restart{'s' if added > 1 else ''} of all phones added"
        if added
        else "the same steps in another order"
    )


def _why(verdict):
    return next((f"{reason}: {text}" for _, outcome, reason, text in verdict.decisions if outcome == "refused"), "")


def list_health(world, days, describe):
    """Warnings about the lists that the plan's cluster hands out now. describe(bytes): facts as inspect has them."""
    found = []
    for kind in ("itl", "ctl"):
        content = world.clusters[""].published_list(kind)
        if content is not None:
            found += [f"{kind.upper()}: {text}" for text in list_warnings(describe(content), days)]
    return found


def growth(world, steps):
    """Warnings about lists that come close to the size that phones take, by the first step that makes them so."""
    found, start = {}, world.snapshot()
    before = _close(world)
    for number, step in enumerate(steps, 1):
        if step.word not in OF_PHONES:
            try:
                world.apply(step)
            except PlanError:
                continue  # the plan's answer tells it
            for kind in _close(world).keys() - before.keys() - found.keys():
                found[kind] = f"{kind.upper()} after step {number}: {_close(world)[kind]}"
    world.use(start)
    return [found[kind] for kind in sorted(found)]


def _close(world):
    """{kind: warning} of lists of the plan's cluster that are close to the limit."""
    contents = {kind: world.clusters[""].published_list(kind) or b"" for kind in ("ctl", "itl")}
    told = {kind: size_warning(len(content)) for kind, content in contents.items()}
    return {kind: text for kind, text in told.items() if text}
