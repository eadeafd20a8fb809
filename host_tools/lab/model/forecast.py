# SPDX-License-Identifier: MIT
"""What phones will make of the cluster as it is now, decided by the phone's own rules (agent/trust/rules.py).

A phone is two trust lists, as far as this is concerned; TVS answers as the cluster's nodes would answer it.
"""

from agent.trust.decision import Answer, Question
from agent.trust.rules import Trust
from hal.host.with_cryptography import HostCrypto
from host_tools.lab.servers.tvs import find_certificate
from host_tools.lab.writers import files

TRUST_LISTS = (("ctl", files.CTL_NAME), ("itl", files.ITL_NAME))


def boot(state, database, itl, ctl, mac=None, node=1):
    """The decisions of a phone with these lists (bytes or None) that starts and asks node `node`; and what it holds then.

    `database` is what TVS vouches for. Returns ([Decision, ...], itl, ctl): CTL, ITL and the phone's configuration, as
    far as the node hands them out; without `mac` there is no configuration.
    """
    trust = Trust(HostCrypto(), itl=itl, ctl=ctl)
    published = state.published[state.data["nodes"][node - 1]["name"]]
    decisions = []
    for kind, name in TRUST_LISTS:
        if name in published:
            decision = _answered(state, database, trust, trust.decide_list(kind, published[name]))
            decisions.append(decision)
            if decision.accepted and decision.reason != "unchanged":
                trust.install(kind, decision.trust_list)
    if mac:
        plain = f"SEP{mac}.cnf.xml"
        signed = published.get(plain + ".sgn")
        if trust.has_trust and signed is not None:
            decisions.append(_answered(state, database, trust, trust.decide_file(plain + ".sgn", signed)))
        else:
            decisions.append(trust.decide_unsigned(plain))
    return decisions, trust.itl and trust.itl.data, trust.ctl and trust.ctl.data


def takes(state, database, kind, content, itl, ctl):
    """Whether a phone with these lists takes `content` as its new one of `kind`. Refused where it cannot read its own."""
    trust = Trust(HostCrypto(), itl=itl, ctl=ctl)
    return _answered(state, database, trust, trust.decide_list(kind, content)).accepted


def forecast(cluster):
    """What happens to the phones that are known, or that may exist, when they restart now.

    A list of dictionaries: `phones` (MACs; empty: those that have not been seen), `node`, and the decision's `kind`,
    `outcome`, `reason` and `text`.
    """
    state = cluster.state
    database = cluster.vouches_for(state)
    found = []
    for macs, itl, ctl in cluster.holdings.groups(state.data["phones"]):
        for number in range(1, len(state.data["nodes"]) + 1):
            mac = next((mac for mac in macs if mac in state.data["phones"]), None) or _any(state.data["phones"])
            decisions, _itl, _ctl = boot(state, database, itl, ctl, mac, number)
            found += [
                {
                    "phones": macs,
                    "node": number,
                    "kind": decision.kind,
                    "outcome": decision.outcome,
                    "reason": decision.reason,
                    "text": decision.text,
                }
                for decision in decisions
            ]
    return found


def _any(phones):
    return next(iter(sorted(phones)), None)


def _answered(state, database, trust, decision):
    """Put the questions that a decision raises to the cluster's TVS, until there is a Decision."""
    while isinstance(decision, Question):
        decision = trust.answer(decision, _ask(state, database, trust, decision))
    return decision


def _ask(state, database, trust, question):
    """The Answer of the first node whose TVS runs and shows a certificate that the phone has."""
    running = [
        number
        for number, node in enumerate(state.data["nodes"], 1)
        if "tvs" not in node["stopped"] and not state.data["pre8"]
    ]
    if not running:
        return Answer("unreachable", text="No TVS runs in the cluster")
    known = trust.tvs_certificates()
    if not any(state.identities[f"tvs-{number}"].der in known for number in running):
        return Answer("untrusted", text="No TVS of the cluster shows a certificate that the phone has")
    if question.kind == "query":
        der = find_certificate(database, question.issuer, question.serial)
    else:
        der = question.certificate
    if der not in database:
        return Answer("refused", text="The cluster's TVS does not know it")
    return Answer("valid", der, sorted(database[der]), 86400)


def sentences(found):
    """The forecast for a person: (is it a warning?, sentence) for each group of phones and what happens to it.

    What is the same on all nodes is said once; why is said only where something is refused.
    """
    lines = {}
    for item in found:
        who = ", ".join(f"SEP{mac}" for mac in item["phones"]) or "Phones not seen yet"
        what = item["kind"].upper() if item["kind"] in ("itl", "ctl") else item["kind"]
        reason = f"{item['outcome']} ({item['reason']})" + (f": {item['text']}" if item["outcome"] == "refused" else "")
        lines.setdefault((who, what, item["outcome"], reason), []).append(item["node"])
    nodes = {item["node"] for item in found}
    for (who, what, outcome, reason), where in lines.items():
        at = "" if set(where) == nodes else f" from node {' and '.join(map(str, where))}"
        yield outcome == "refused", f"{who}: {what}{at} {reason}"
