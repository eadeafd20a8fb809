# SPDX-License-Identifier: MIT
"""What phones will make of the cluster as it is now: the phone's own boot, rules and TVS client, on paper.

Here a phone consists of its two trust lists and the TVS servers of its configuration. It gets the files that the node hands
out, and the lab's own TVS without sockets (paper_network.py). So a forecast has the words of the phone.
"""

from agent.flash.keeper import Configuration
from agent.servers.tvs.client import TvsClient
from agent.trust import loads
from agent.trust.decision import Decision
from hal.host.with_cryptography import HostCrypto
from host_tools.lab.model.loads import judged, software_of
from host_tools.lab.model.paper_network import PaperNetwork, Random, tvs_address
from host_tools.lab.writers.kinds import has_tvs
from host_tools.trial.phone import FileSource, StandingClock, TrialPhone, phone_settings

_WORDS = {"itl": "ITL", "ctl": "CTL", "application": "application server", "capf": "CAPF server", "load": "load"}
TFTP_PORT = 69
_NO_PHONE = "000000000000"  # stands for phones that the cluster does not know


def boot(state, database, itl, ctl, mac=None, node=1, kept=None, others=(), known=None):
    """The decisions of a phone with these lists (bytes or None) that starts and asks node `node`; and what it holds then.

    `database` is what TVS vouches for. `mac`: a phone that the cluster knows. `kept`: the Configuration that the phone
    verified last; None: a configuration that names this cluster's TVS. `others`: (State, database) of other clusters that run;
    `known`: of State.handed_out().
    Returns ([Decision, ...], itl, ctl), without decisions about files that are not there.
    """
    phone = phone_on_paper(state, database, itl, ctl, mac, node, kept, others, known=known)
    decisions = [decision for decision in phone.boot() if decision.reason != "not-found"]
    return decisions, phone.itl, phone.ctl


def phone_on_paper(state, database, itl, ctl, mac, node, kept, others, reached=None, known=None, crypto=None):
    """The TrialPhone of boot(). reached: numbers of the cluster's nodes whose TVS the phone reaches, None: all. crypto: the
    HAL's, where it is not HostCrypto."""
    settings = phone_settings(mac or _NO_PHONE)
    if kept is None and itl is not None:
        kept = Configuration(f"{settings.device}.cnf.xml.sgn", tvs_servers(state), None)
    network = PaperNetwork([(state, database), *others], reached)
    asker = TvsClient(network, StandingClock(), Random(), settings.full_name, settings.tvs_timeout)  # pyright: ignore[reportAttributeAccessIssue]
    entry = state.data["nodes"][node - 1]
    files = FileSource(state.handed_out(node, known), server=(entry["address"], entry["ports"].get("tftp", TFTP_PORT)))
    return TrialPhone(settings, crypto or HostCrypto(), files, asker, itl=itl, ctl=ctl, configuration=kept)


def tvs_servers(state):
    """The TVS servers that the cluster's configuration files name, as (host, port)."""
    nodes = state.data["nodes"][:5] if has_tvs(state.data) else []
    return [tvs_address(node, number) for number, node in enumerate(nodes, 1)]


def takes(state, database, kind, content, itl, ctl):
    """Whether a phone with these lists takes `content` as its new list of `kind`. Refused where its own lists are unreadable."""
    return phone_on_paper(state, database, itl, ctl, None, 1, None, ()).takes(kind, content).accepted


def moved(cluster, old):
    """What happens to the phones of the cluster `old` when they are moved to this one and restart; items as of forecast().

    Both clusters run: the phones ask the TVS of the old one."""
    state, old_state = cluster.state, old.state
    database, others = cluster.vouches_for(state), [(old_state, old.vouches_for(old_state))]
    found = []
    for macs, itl, ctl in old.holdings.groups(old_state.data["phones"]):
        mac = next((mac for mac in macs if mac in state.data["phones"]), None) or _any(state.data["phones"])
        kept = None if itl is None else Configuration("of the old cluster", tvs_servers(old_state), None)
        for number in range(1, len(state.data["nodes"]) + 1):
            decisions, _itl, _ctl = boot(state, database, itl, ctl, mac, number, kept, others)
            found += [_item(macs, number, decision) for decision in decisions]
    return found


def forecast(cluster, state=None):
    """What happens to the phones that are known, or that may exist, when they restart now (or in `state`).

    A list of dictionaries: `phones` (MACs; empty: phones that have not been seen), `node`, and the decision's `kind`,
    `outcome`, `reason` and `text`.
    """
    state = state or cluster.state
    database = cluster.vouches_for(state)
    found = []
    groups = list(cluster.holdings.groups(state.data["phones"]))
    unseen = sorted(set(state.data["phones"]).difference(*[macs for macs, _itl, _ctl in groups]))
    for macs, itl, ctl in groups:
        for number in range(1, len(state.data["nodes"]) + 1):
            mac = next((mac for mac in macs if mac in state.data["phones"]), None) or _any(state.data["phones"])
            decisions, _itl, _ctl = boot(state, database, itl, ctl, mac, number)
            found += [_item(macs, number, decision) for decision in decisions]
            for phone in macs or unseen:
                if phone in state.data["phones"]:
                    load = load_decision(cluster, state.data["phones"][phone], decisions, itl or ctl)
                    found += [_item([phone], number, load)] if load else []
    return found


def load_decision(cluster, phone, decisions, trusts):
    """What a phone (its entry in the state) decides about the load that its configuration names: a Decision, None where no load
    is named. `lab set software` says what the phone runs, how old a load may be, and whose loads it takes. Without that, only
    the name is judged.

    decisions: of its boot. trusts: whether it has a trust list."""
    name = phone["load"]
    configuration = next((one for one in reversed(decisions) if ".cnf.xml" in one.kind and one.accepted), None)
    if not name or configuration is None:
        return None
    board, _version = loads.parts_of(name)
    known = software_of(phone)
    if known is not None and known.name == name:
        return Decision(True, "unchanged", loads.KIND, f"The phone runs {name} already, and stays as it is.")
    crypto = HostCrypto()
    rules = loads.LoadRules(crypto, known or loads.Software("", board or "phones", "0.0.0", []))
    refusal = rules.by_name(name, configuration, bool(trusts), None)
    path = cluster.load_path(f"{name}.sgn")
    if refusal is None and path is None and not phone.get("load_server"):
        text = f"No server of the cluster has {name}.sgn: hand it out (add-load). The phone keeps the load that it has."
        refusal = Decision(False, "not-found", loads.KIND, text)
    looked_at = known is not None and known.certificates and path is not None and not phone.get("load_server")
    if refusal is None and looked_at:
        refusal = judged(rules, name, path, crypto)
    if refusal is not None:
        return refusal
    who = (
        f"A phone of the board {board} that runs another load" if known is None else f"The phone runs {known.name}; it"
    )
    if_signed = "" if looked_at else ", if its maker signed it,"
    text = f"{who} takes {name}{if_signed} and restarts for a trial."
    return Decision(True, "load-installed", loads.KIND, text)


def services(cluster, state=None):
    """What phones with a trust list decide about the servers that they connect to after a restart.

    Items as of forecast() with the `kind` "application" or "capf", for phones that took the files of `state` that they accept.
    """
    state = state or cluster.state
    database = cluster.vouches_for(state)
    found = []
    for macs, itl, ctl in cluster.holdings.groups(state.data["phones"]):
        for number in range(1, len(state.data["nodes"]) + 1):
            phone = phone_on_paper(state, database, itl, ctl, None, number, None, ())
            phone.boot()
            if phone.itl is None or state.data["pre8"]:
                continue
            shown = [("application", state.loaded("tomcat", number, f"tomcat-{number}"))]
            if number <= state.data["capf_servers"]:
                shown.append(("capf", state.loaded("capf", number, "capf")))
            found += [_item(macs, number, phone.judge(purpose, identity.der)) for purpose, identity in shown]
    return found


def _item(macs, number, decision):
    return {
        "phones": macs,
        "node": number,
        "kind": decision.kind,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "text": decision.text,
    }


def _any(phones):
    return next(iter(sorted(phones)), None)


def sentences(found):
    """The forecast for a person: (is it a warning?, sentence) for each group of phones and what happens to it.

    A decision that is the same on all nodes appears once; only refusals are explained.
    """
    lines = {}
    for item in found:
        who = ", ".join(f"SEP{mac}" for mac in item["phones"]) or "Phones not seen yet"
        what = _WORDS.get(item["kind"], item["kind"])
        reason = f"{item['outcome']} ({item['reason']})" + (f": {item['text']}" if item["outcome"] == "refused" else "")
        lines.setdefault((who, what, item["outcome"], reason), []).append(item["node"])
    nodes = {item["node"] for item in found}
    for (who, what, outcome, reason), where in lines.items():
        at = "" if set(where) == nodes else f" from node {' and '.join(map(str, where))}"
        yield outcome == "refused", f"{who}: {what}{at} {reason}"
