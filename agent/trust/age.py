# SPDX-License-Identifier: MIT
"""Is this file older than the file that it would replace? (docs/spec/rules.md, A1 to A6)

A file that is older than the installed file of its kind is a replay, or comes from a backup that was restored. An older
empty list is always refused: no backup needs it, and an attacker who recorded it could strip a phone of all trust."""

from agent.trust.wording import judgements as wording

WARN = "warn"
REFUSE = "refuse"
REPLAYS = (WARN, REFUSE)

#: Reasons that say that the installed lists have the signer. Its clock is then the clock of the installed file.
_OUR_CLOCK = ("signed-by-ctl", "signed-by-itl")


def judge_age(case, decision, replay):
    """The Decision about a case whose signature was judged by `decision`: the same Decision, perhaps with a warning, or a
    refusal. replay: WARN or REFUSE."""
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
