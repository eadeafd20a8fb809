# SPDX-License-Identifier: MIT
"""What phones will make of the cluster as it is now, decided by the phone's own rules (agent/trust/rules.py).

A phone is two trust lists, as far as this is concerned; TVS answers as the cluster's nodes would answer it.
"""

from agent.servers.judge import Asker
from agent.trust.decision import Answer
from hal.host.with_cryptography import HostCrypto
from host_tools.lab.servers.tvs import find_certificate
from host_tools.trial.phone import TrialPhone, at_once, phone_settings

#: The MAC address of a phone that the cluster does not know.
ANY_PHONE = "000000000000"


def boot(state, database, itl, ctl, mac=None, node=1):
    """The decisions of a phone with these lists (bytes or None) that starts and asks node `node`; and what it holds then.

    `database` is what TVS vouches for. Returns ([Decision, ...], itl, ctl): what the boot's own steps decide, the lists
    that are rightly absent left out; without `mac` nothing is said of the configuration.
    """
    phone = _phone(state, database, itl, ctl, mac, node)
    decisions = [decision for decision in phone.boot() if not (decision.accepted and decision.reason == "not-found")]
    if not mac:
        decisions = [decision for decision in decisions if decision.kind in ("ctl", "itl")]
    return decisions, phone.itl, phone.ctl


def takes(state, database, kind, content, itl, ctl):
    """Whether a phone with these lists takes `content` as its new one of `kind`. Refused where it cannot read its own."""
    return at_once(_phone(state, database, itl, ctl).judge(kind, content)).accepted


def _phone(state, database, itl, ctl, mac=None, node=1):
    published = state.published[state.data["nodes"][node - 1]["name"]]
    return TrialPhone(phone_settings(mac or ANY_PHONE), HostCrypto(), published, ClusterTvs(state, database), itl, ctl)


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


class ClusterTvs(Asker):
    """TVS as the cluster's nodes would answer it now: the first whose TVS runs and shows a certificate that the phone has.
    `database`: what TVS vouches for."""

    def __init__(self, state, database):
        self._state = state
        self._database = database
        self._known = []

    def set_certificates(self, certificates):
        """Those that the phone has."""
        self._known = certificates

    async def ask(self, question, deadline=None):
        """An Answer (agent/trust/decision.py)."""
        state = self._state
        running = [
            number
            for number, node in enumerate(state.data["nodes"], 1)
            if "tvs" not in node["stopped"] and not state.data["pre8"]
        ]
        if not running:
            return Answer("unreachable", text="No TVS runs in the cluster")
        if not any(state.identities[f"tvs-{number}"].der in self._known for number in running):
            return Answer("untrusted", text="No TVS of the cluster shows a certificate that the phone has")
        if question.kind == "query":
            der = find_certificate(self._database, question.issuer, question.serial)
        else:
            der = question.certificate
        if der not in self._database:
            return Answer("refused", text="The cluster's TVS does not know it")
        return Answer("valid", der, sorted(self._database[der]), 86400)


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
