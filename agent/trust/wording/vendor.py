# SPDX-License-Identifier: MIT
"""The line that a phone of the vendor shows among its status messages where ours gives a decision.

The lines are those of the administration guides of the 7900 and 8800 series [documented]; they are fewer than our reasons,
so that people find what they know and then read why. A decision for which those phones show nothing has no line."""

from agent.trust.reasons import locks_out

UPDATED = "Trust List Updated"
UPDATE_FAILED = "Trust List Update Failed"
NO_TRUST_LIST = "No Trust List Installed"
NO_CTL = "No CTL installed"
ERASING = "Erasing CTL and ITL files"
AUTH_FAIL = "File Auth Fail"
NOT_FOUND = "File Not Found"
NO_CONFIGURATION = "CFG file not found"
SIZE_ERROR = "CFG TFTP Size Error"

#: reason -> the line, whatever the decision is about
_ANY = {
    "erased": ERASING,
    "no-server": "TFTP Timeout",
    "out-of-time": "TFTP Timeout",
    "bad-transfer": "TFTP Error",
    "bad-name": "TFTP Error",
    "wrong-board": "Load rejected HC",
    "no-trust-list": NO_TRUST_LIST,
}
#: ... and these also where that is no file
_WITHOUT_FILE = ("erased", "no-server", "wrong-board")
_UPDATES = ("signed-by-ctl", "signed-by-itl", "vouched-by-tvs", "first-use", "after-rollback")


def vendor_line(decision):
    """The line for a Decision, without control characters; None where a phone of the vendor shows none."""
    kind, reason = decision.kind, decision.reason
    if kind in ("ctl", "itl"):
        return _list_line(kind, decision)
    if "." not in kind and reason not in _WITHOUT_FILE:
        return None  # sessions with CAPF, the store, TLS servers
    if reason in _ANY:
        return _ANY[reason]
    if ".cnf.xml" in kind:
        if reason == "not-found":
            return NO_CONFIGURATION
        if reason == "too-large":
            return SIZE_ERROR
        if decision.accepted:
            return kind  # phones show the name of the configuration that they use
    elif reason == "not-found":
        return "%s %s" % (NOT_FOUND, kind)
    return "%s %s" % (AUTH_FAIL, kind) if not decision.accepted and locks_out(reason) else None


def _list_line(kind, decision):
    reason = decision.reason
    if reason == "not-found":
        if decision.evidence.get("installed"):
            return "%s %sFile.tlv" % (NOT_FOUND, kind.upper())
        return NO_CTL if kind == "ctl" else NO_TRUST_LIST
    if reason in _ANY:
        return _ANY[reason]
    if not decision.accepted:
        return UPDATE_FAILED
    if reason in _UPDATES:
        return UPDATED if decision.evidence.get("installed") else "%s Installed" % kind.upper()
    return None  # unchanged
