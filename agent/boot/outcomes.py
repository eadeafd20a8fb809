# SPDX-License-Identifier: MIT
"""Decisions about steps of the phone that judge no bytes; each function gives a Decision.

agent/trust/wording/steps.py has the sentences."""

from agent.errors import TrustLost
from agent.flash.writes import TooManyWrites
from agent.trust.decision import Decision
from agent.trust.reasons import ACCEPTED, outcome
from agent.trust.wording import steps
from agent.trust.wording.judgements import TRUST_LOST, unreadable

#: What the keeper raises where something accepted cannot be stored.
KEEPING_FAILS = (OSError, TrustLost, TooManyWrites)


def no_servers():
    """Neither the settings nor DHCP name a TFTP server."""
    return Decision(False, "no-server", "tftp", steps.NO_SERVERS)


def no_memory(kind):
    """Judging a file of this kind took more memory than there is."""
    return Decision(False, "no-memory", kind, steps.NO_MEMORY)


def no_list(kind, trust):
    """The server has no such list, which is fine; an installed one stays."""
    installed = trust.ctl if kind == "ctl" else trust.itl
    has_one = installed is not None
    return Decision(True, "not-found", kind, steps.no_list(kind, has_one), {"installed": has_one})


def no_configuration(name):
    """The server has no configuration for this phone, nor a default one."""
    return Decision(False, "not-found", name, steps.NO_CONFIGURATION)


def failed(kind, error):
    """A file that did not arrive; error: the TransferError."""
    return Decision(False, error.reason, kind, steps.failed(kind, error))


def refused(name, refusal):
    """A file that could not be read at all; refusal: the Refused that its reader raised."""
    return Decision(False, refusal.reason, name, unreadable(name, refusal))


def out_of_time(budget, costs):
    """The boot's time is over. budget: ms. costs: [("TFTP 192.0.2.1:69", ms)], the dearest first."""
    evidence = {"costs": [[where, cost] for where, cost in costs]}
    return Decision(False, "out-of-time", "boot", steps.out_of_time(budget, costs), evidence)


def not_kept(kind, error, judge, evidence):
    """Accepted, but one of KEEPING_FAILS kept it from flash; then it is not used either."""
    if isinstance(error, TrustLost):
        return lose(error, judge)
    return Decision(False, _kept_not(error), kind, steps.not_stored(kind, error), evidence)


def _kept_not(error):
    return "too-many-writes" if isinstance(error, TooManyWrites) else "not-stored"


def file_not_stored(name, error):
    """A file for another program that this phone has no room for, or cannot write."""
    return Decision(False, "not-stored", name, steps.file_not_stored(name, error))


def lose(error, judge):
    """What was stored cannot be read whole: from now on nothing is believed."""
    judge.lose()
    return Decision(False, "trust-lost", "flash", TRUST_LOST, {"detail": str(error)})


def no_encrypted(name):
    """The small document sends to an encrypted one that no server has."""
    return Decision(False, "not-found", name, steps.no_encrypted(name))


def bad_configuration(name, error, evidence):
    """Verified, but not readable as a configuration; error: the Malformed of its reader."""
    error.file = name
    return Decision(False, "bad-configuration", name, steps.bad_configuration(error), evidence)


def cannot_decrypt(name, evidence):
    """An encrypted configuration that no key of this phone opens."""
    return Decision(False, "cannot-decrypt", name, steps.cannot_decrypt(name), evidence)


def no_key(name):
    """An encrypted configuration, and neither LSC nor MIC."""
    return Decision(False, "no-certificate", name, steps.NO_KEY)


def erased(what):
    """A person at the phone removed trust: "ctl", "itl" or "all"."""
    return Decision(True, "erased", "flash", steps.erased(what))


def not_erased(error, judge):
    """A person wanted to remove trust, and the flash could not be written."""
    if isinstance(error, TrustLost):
        return lose(error, judge)
    return Decision(False, _kept_not(error), "flash", steps.not_erased(error))


def enrolment(server, reason, text=""):
    """How a CAPF session ended, or why there was none; `text` is what agent/servers/capf/client.py says of it.

    server: (host, port) or None. KeyError: no reason of an enrolment."""
    words = steps.enrolment(reason, text)
    # CAPF asked for a certificate that the phone does not have: that is an answer, not a refusal.
    accepted = outcome(reason) == ACCEPTED or reason == "no-certificate"
    evidence = {"server": "%s:%d" % server} if server is not None else {}
    return Decision(accepted, reason, "lsc", words, evidence)
