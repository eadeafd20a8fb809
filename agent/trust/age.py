# SPDX-License-Identifier: MIT
"""Is this file older than the one it would replace? (docs/spec/rules.md, A1 to A6)

A file that is older than the installed one of its kind is a replay, or comes from a backup that was restored. An empty
list that is older is never from a backup: an attacker who recorded it could strip a phone of all trust with it."""

from agent.trust.wording import judgements as wording

WARN = "warn"
REFUSE = "refuse"
REPLAYS = (WARN, REFUSE)

#: Reasons of an accepted file whose signer the installed lists have, so that its clock is the installed file's.
_OUR_CLOCK = ("signed-by-ctl", "signed-by-itl")


def judge_age(case, decision, replay):
    """The Decision about a case after its signature was believed (`decision`): the same, with a warning, or a refusal."""
    if not decision.accepted:
        return decision
    time = case.header.timestamp
    if time is None:
        decision.warnings.append(wording.no_timestamp(case))  # A6
        return decision
    ours = decision.reason in _OUR_CLOCK
    if case.previous is None or not (ours or decision.reason == "vouched-by-tvs"):
        return decision
    if case.trust_list is not None and case.trust_list.empty:  # A2
        if time <= case.previous:
            return case.refuse("older-than-installed", wording.older_empty(case))
    elif (ours or case.trust_list is None) and time < case.previous:  # A1, A3; A5 is for every signer
        if replay == REFUSE:
            return case.refuse("older-than-installed", wording.older(case))
        decision.warnings.append(wording.older_warning(case))
    return decision
