# SPDX-License-Identifier: MIT
"""Decisions about steps of the phone that judge no bytes. Each function returns a Decision.

agent/trust/wording/steps.py has the sentences."""

from agent.errors import TrustLost
from agent.flash.writes import TooManyWrites
from agent.trust.decision import Decision
from agent.trust.reasons import ACCEPTED, outcome
from agent.trust.wording import steps
from agent.trust.wording.judgements import TRUST_LOST, unreadable

#: The errors that the keeper raises if something accepted cannot be stored.
KEEPING_FAILS = (OSError, TrustLost, TooManyWrites)


def no_servers():
    """Neither the settings nor DHCP name a TFTP server."""
    return Decision(False, "no-server", "tftp", steps.NO_SERVERS)


def no_memory(kind):
    """The phone does not have enough memory to judge a file of this kind."""
    return Decision(False, "no-memory", kind, steps.NO_MEMORY)


def no_list(kind, trust):
    """The server has no list of this kind, which is in order (B3, B4). An installed list stays."""
    installed = trust.ctl if kind == "ctl" else trust.itl
    has_one = installed is not None
    return Decision(True, "not-found", kind, steps.no_list(kind, has_one), {"installed": has_one})


def no_configuration(name):
    """The server has no configuration for this phone, nor a default one."""
    return Decision(False, "not-found", name, steps.NO_CONFIGURATION)


def failed(kind, error):
    """A file did not arrive; error: the TransferError."""
    return Decision(False, error.reason, kind, steps.failed(kind, error))


def refused(name, refusal):
    """A file could not be read; refusal: the Refused that its reader raised."""
    return Decision(False, refusal.reason, name, unreadable(name, refusal))


def out_of_time(budget, costs):
    """The boot has used up its time (B9). budget: ms. costs: [("TFTP 192.0.2.1:69", ms)], the most expensive server first."""
    evidence = {"costs": [[where, cost] for where, cost in costs]}
    return Decision(False, "out-of-time", "boot", steps.out_of_time(budget, costs), evidence)


def not_kept(kind, error, judge, evidence):
    """A file was accepted but could not be stored, so the phone does not use it. error: one of KEEPING_FAILS."""
    if isinstance(error, TrustLost):
        return lose(error, judge)
    return Decision(False, _kept_not(error), kind, steps.not_stored(kind, error), evidence)


def _kept_not(error):
    return "too-many-writes" if isinstance(error, TooManyWrites) else "not-stored"


def file_not_stored(name, error):
    """A file for another program could not be written, or there is no room for it. error: the OSError."""
    return Decision(False, "not-stored", name, steps.file_not_stored(name, error))


def lose(error, judge):
    """The stored state cannot be read whole. The judge is told, and believes nothing from now on (D1)."""
    judge.lose()
    return Decision(False, "trust-lost", "flash", TRUST_LOST, {"detail": str(error)})


def no_encrypted(name):
    """The small document sends the phone to an encrypted file, `name`, that no server has."""
    return Decision(False, "not-found", name, steps.no_encrypted(name))


def bad_configuration(name, error, evidence):
    """A file was verified but cannot be read as a configuration; error: the Malformed of its reader."""
    error.file = name
    return Decision(False, "bad-configuration", name, steps.bad_configuration(error), evidence)


def cannot_decrypt(name, evidence):
    """No key of this phone opens the encrypted configuration."""
    return Decision(False, "cannot-decrypt", name, steps.cannot_decrypt(name), evidence)


def no_key(name):
    """The configuration is encrypted, and the phone has neither LSC nor MIC."""
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
    """How a CAPF session ended, or why there was none. text: the sentence of agent/servers/capf/client.py. server: (host,
    port) or None. KeyError for a reason that no enrolment has."""
    words = steps.enrolment(reason, text)
    # CAPF asked for a certificate that the phone does not have. The phone answered, so nothing was refused.
    accepted = outcome(reason) == ACCEPTED or reason == "no-certificate"
    evidence = {"server": "%s:%d" % server} if server is not None else {}
    return Decision(accepted, reason, "lsc", words, evidence)
