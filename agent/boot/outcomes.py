# SPDX-License-Identifier: MIT
"""Decisions about steps of the boot that are no judgement of bytes: nothing there, nobody there, no room."""

from agent.errors import TrustLost
from agent.flash.writes import TooManyWrites
from agent.trust.decision import Decision
from agent.trust.wording import TRUST_LOST

#: What the keeper raises where something accepted cannot be stored.
KEEPING_FAILS = (OSError, TrustLost, TooManyWrites)


def no_servers():
    """Nobody named a file server."""
    return Decision(
        False,
        "no-server",
        "tftp",
        "No TFTP server is known: the settings name none, and DHCP gave neither option 150 nor option 66. The phone keeps "
        "what it has.",
    )


def no_memory(kind):
    """A file that this phone cannot hold."""
    text = "This phone has not enough memory to judge this file; it keeps what it has."
    return Decision(False, "no-memory", kind, text)


def out_of_time(budget, costs):
    """The boot's time is over. budget: ms. costs: [("TFTP 192.0.2.1:69", ms)], the dearest first."""
    text = "This boot has had its %d s; the phone goes on with what it has and tries again later." % (budget // 1000)
    if costs:
        text += " The time went to: %s." % ", ".join(["%s (%d s)" % (who, cost // 1000) for who, cost in costs])
    return Decision(False, "out-of-time", "boot", text, {"costs": [[who, cost] for who, cost in costs]})


def lose(error, judge):
    """What was stored cannot be read whole: from now on nothing is believed. The Decision that says so."""
    judge.lose()
    return Decision(False, "trust-lost", "flash", TRUST_LOST, {"detail": str(error)})


def not_kept(kind, error, judge, evidence):
    """Accepted, but the flash did not take it, for one of KEEPING_FAILS; then it is not used either."""
    if isinstance(error, TrustLost):
        return lose(error, judge)
    reason = error.reason if isinstance(error, TooManyWrites) else "not-stored"
    text = "%s was accepted but could not be written to flash (%s); the phone keeps what it has." % (kind, error)
    return Decision(False, reason, kind, text, evidence)


_ABSENT = {
    "ctl": "The TFTP server has no CTL; the cluster is not in mixed mode, or has lost its CTL.",
    "itl": "The TFTP server has no ITL: a cluster before 8.0.",
}


def no_list(kind, trust):
    """The server has no such list, which is fine; an installed one stays."""
    installed = trust.ctl if kind == "ctl" else trust.itl
    text = _ABSENT[kind]
    if installed is not None:
        text += " The phone keeps the one it has."
    return Decision(True, "not-found", kind, text)


def no_configuration(name):
    """The server has no configuration for this phone, nor a default one."""
    return Decision(
        False,
        "not-found",
        name,
        "The TFTP server has no configuration for this phone and no default one: add the phone on the cluster, or "
        "switch autoregistration on. The phone keeps what it has.",
    )


def failed(kind, error):
    """A file that did not arrive."""
    if error.reason == "no-server":
        advice = " Start TFTP on the cluster or check the network; the phone keeps what it has."
    elif error.reason == "too-large" and kind in _ABSENT:
        advice = " Delete certificates that the cluster does not need: some 39 fit. The phone keeps what it has."
    else:
        advice = " The phone keeps what it has."
    return Decision(False, error.reason, kind, "%s.%s" % (str(error).rstrip("."), advice))


def file_not_stored(name, error):
    """A file for another program that this phone has no room for, or cannot write."""
    text = "%s could not be written on this phone (%s); nothing of it is kept." % (name, error)
    return Decision(False, "not-stored", name, text)


def bad_configuration(name, error, evidence):
    """Verified, but no configuration."""
    error.file = name
    text = "The configuration was believed but cannot be read: %s. The phone keeps the one it has." % error
    return Decision(False, "bad-configuration", name, text, evidence)


def erased(what):
    """A person at the phone removed trust."""
    name = "Everything" if what == "all" else "The %s" % what.upper()
    text = "%s was erased by a person at the phone; restart it to take the cluster's lists anew." % name
    return Decision(True, "erased", "flash", text)


def not_erased(error, judge):
    """The flash did not take it."""
    if isinstance(error, TrustLost):
        return lose(error, judge)
    reason = error.reason if isinstance(error, TooManyWrites) else "not-stored"
    return Decision(False, reason, "flash", "Nothing was erased: the flash could not be written (%s)." % error)


#: What a CAPF session can come to (agent/servers/capf) -> whether it went as it should, and what to do where it did not.
_ENROLMENTS = {
    "installed": (True, ""),
    "deleted": (True, ""),
    "fetched": (True, ""),
    "no-action": (True, ""),
    "no-certificate": (True, ""),
    "retry-later": (False, "The phone asks again then."),
    "string-needed": (False, "Type it at the console: update lsc STRING."),
    "wrong-string": (False, "Compare it with the one on the cluster and type it again: update lsc STRING."),
    "certificate-needed": (False, "Choose another CAPF authentication mode for this phone on the cluster."),
    "unknown-device": (False, "Add the phone on the cluster, or start its CAPF operation anew."),
    "refused": (False, "Look at the CAPF operation of this phone on the cluster."),
    "not-stored": (False, ""),
    "interrupted": (False, "The phone keeps what it has and asks again later."),
    "unreachable": (False, "Start CAPF on the cluster or check names and routes; the phone asks again later."),
    "untrusted": (False, "Nothing was sent to it."),
    "no-capf": (False, "No configuration that this phone believes names a CAPF server, so there is nobody to ask."),
    "no-trust-list": (False, "No trust list is installed to know a CAPF server by, so none is asked."),
    "trust-lost": (False, "The stored trust cannot be read, so no CAPF server is asked."),
}


def enrolment(server, outcome, text=""):
    """How a CAPF session ended, or why there was none; `text` is what agent/servers/capf/client.py says of it."""
    accepted, advice = _ENROLMENTS[outcome]
    if text:
        text = text.rstrip(".") + "." + (" " + advice if advice else "")
    evidence = {"server": "%s:%d" % server} if server is not None else {}
    return Decision(accepted, outcome, "lsc", text or advice, evidence)


def waits_for_string(server):
    """The configuration wants an enrolment that a person must begin."""
    return (
        "The cluster wants this phone to enrol with CAPF %s:%d by an authentication string, which a person types at the "
        "console: update lsc STRING." % server
    )


def cannot_decrypt(name, evidence):
    """One text for every way in which it can fail: a wrong key and a wrong padding look the same from outside."""
    return Decision(
        False,
        "cannot-decrypt",
        name,
        "%s is signed by the cluster, but no certificate of this phone opens it: let CAPF give the phone a new one, or "
        "have the cluster encrypt to the one it has. The phone keeps its old configuration." % name,
        evidence,
    )


def no_encrypted(name):
    """The small document sends to an encrypted one that no server has."""
    return Decision(
        False,
        "not-found",
        name,
        "The cluster says that this phone's configuration is encrypted, but the server has no %s: restart TFTP on the "
        "cluster. The phone keeps its old configuration." % name,
    )


def no_key(name):
    """An encrypted configuration, and neither LSC nor MIC."""
    return Decision(
        False,
        "no-certificate",
        name,
        "The cluster encrypts this phone's configuration, but the phone has no certificate of its own: let CAPF give it "
        "one (console: update lsc, with the authentication string if the cluster asks for it). The phone keeps its old "
        "configuration.",
    )
