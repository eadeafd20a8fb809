# SPDX-License-Identifier: MIT
"""The status of a phone as one dictionary, ready for JSON: what it trusts, what it decided, and what a person should do."""

from agent import VERSION
from agent.errors import TrustLost
from agent.formats import names
from agent.formats.text import shown, shown_value
from agent.trust.reasons import locks_out

#: The features that this phone's software supports, in the words of the cluster's feature list (docs/spec/procedures.md).
SUPPORTS = ("security-by-default", "tvs", "encrypted-configuration", "https", "ec", "sha512", "loads")

_TOPICS = ("flash", "ctl", "itl", "configuration")


class View:
    """Reads the status from the parts of one phone.

    settings, judge, keeper, fetcher, tvs (with .servers): the phone's. history: agent.boot.history.History of the phone's own
    decisions. programs: the History of decisions for other programs. keys: agent.local.keys.Keys. crypto: of the HAL. loads:
    an attribute that is set to an agent.boot.load.LoadStep if the phone can replace its software."""

    def __init__(self, settings, crypto, judge, keeper, fetcher, tvs, history, programs, keys):
        self.loads = None
        self.settings = settings
        self.crypto = crypto
        self.judge = judge
        self.keeper = keeper
        self.fetcher = fetcher
        self.tvs = tvs
        self.history = history
        self.programs = programs
        self.keys = keys

    def status(self):
        """The whole status.

        state: "trust-lost", "rolled-back", "trusted" or "no-trust". locked_out: whether a refusal locks the phone out. advice:
        then the sentence of that refusal, which says what an administrator can do; else None. lsc: the phone's own
        certificate as agent.flash.identity describes it, or None. flash_writes, signatures (for other programs): counted since
        the start. Digests and serial numbers are hexadecimal."""
        settings = self.settings
        refusal = refusal_of(self.history.decisions)
        found = {
            "version": VERSION,
            "device": settings.device,
            "mac": settings.mac,
            "model": settings.model,
            "policy": settings.policy,
            "supports": list(SUPPORTS),
            "locked_out": refusal is not None,
            "advice": refusal.text if refusal is not None else None,
            "lsc": shown_value(self.keeper.identity.describe()),
            "mic": self.keeper.identity.mic is not None,
            "tftp_servers": ["%s:%d" % server for server in self.fetcher.servers],
            "tvs_servers": [shown("%s:%d" % server) for server in self.tvs.servers],
            "flash_writes": self.keeper.store.written,
            "decisions": [decision.as_dict() for decision in self.history.decisions],
            "requests": [decision.as_dict() for decision in self.programs.decisions],
            "signatures": self.keys.status(),
        }
        found["load"] = self.load()
        found.update(self.trusted())
        return found

    def load(self):
        """The phone's own software, as a part of the status; None if the phone cannot replace it. name, board, floor: of the load
        that runs. slot: the slot that runs. boot: what the boot loader said. trial: whether the load is not confirmed yet.
        failed: the load that failed its trial last. wanted: the load that the configuration names."""
        loads = self.loads
        if loads is None:
            return None
        return {
            "name": loads.software.name,
            "board": loads.software.board,
            "floor": loads.software.floor,
            "slot": loads.part.running,
            "boot": loads.part.boot,
            "trial": loads.on_trial,
            "failed": loads.failed,
            "wanted": loads.wanted,
        }

    def trusted(self):
        """What the phone trusts, as a part of the status: state, mode, the installed lists, and the name of its configuration."""
        try:
            trust = self.judge.trust
            installed = {"ctl": _list(trust.ctl, self.crypto), "itl": _list(trust.itl, self.crypto)}
        except TrustLost:
            self.judge.lose()  # the flash fails, so from now on nothing is believed (D1)
            trust = self.judge.trust
            installed = {"ctl": None, "itl": None}
        configuration = self.keeper.configuration
        return {
            "state": state_of(trust),
            "mode": trust.mode,
            "installed": installed,
            "configuration": configuration.name if configuration is not None else None,
        }


def state_of(trust):
    """The state of an agent.trust.rules.Trust: "trust-lost", "rolled-back", "trusted" or "no-trust"."""
    if trust.lost:
        return "trust-lost"
    if trust.rolled_back:
        return "rolled-back"
    return "trusted" if trust.has_trust else "no-trust"


def refusal_of(decisions):
    """The refusal that locks the phone out, or None. A later decision about the same kind of file replaces an earlier one.

    If several refusals lock the phone out, it is the first of flash, CTL, ITL and configuration, because one refusal often
    causes the next."""
    newest = {}
    for decision in decisions:
        if decision.reason == "erased":
            newest = {}  # a person has erased what the earlier refusals were about
        newest[_topic(decision.kind)] = decision
    for topic in _TOPICS:
        decision = newest.get(topic)
        if decision is not None and not decision.accepted and locks_out(decision.reason):
            return decision
    return None


def _topic(kind):
    if kind in ("ctl", "itl", "flash"):
        return kind
    return "configuration" if ".cnf.xml" in kind else "server"


def _list(trust_list, crypto):
    """An installed list (TrustList or None) for the status: its signer, TIMESTAMP, digests, and records by role."""
    if trust_list is None:
        return None
    roles = {}
    for record in trust_list.records():
        name = names.role_name(record.role) if record.certificate_size else "empty"
        if record.certificate_size:
            roles.setdefault(name, []).append(shown(names.to_text(record.subject)))
        else:
            roles.setdefault(name, []).append("")
    header = trust_list.header
    return {
        "filename": shown(header.filename),
        "signer": {"subject": shown(header.subject), "issuer": shown(header.issuer), "serial": header.serial.hex()},
        "timestamp": header.timestamp,
        "bytes": len(trust_list.data),
        "sha1": trust_list.digest(crypto, "sha1").hex(),
        "sha256": trust_list.digest(crypto, "sha256").hex(),
        "empty": trust_list.empty,
        "records": roles,
    }
