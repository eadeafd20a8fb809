# SPDX-License-Identifier: MIT
"""The line that a phone of the vendor would show among its status messages for a decision of this phone.

The lines come from the administration guides of the 7900 and 8800 series [documented]. There are fewer lines than reasons: an
administrator finds the line that they know, and the decision says why. Some decisions have no line, because those phones
show nothing for them."""

from agent.trust.reasons import locks_out

#: reason:line, for decisions about anything. It is one text, because a phone has little memory.
_ANY = (
    "\nerased:Erasing CTL and ITL files\nno-server:TFTP Timeout\nout-of-time:TFTP Timeout\nbad-transfer:TFTP Error"
    "\nbad-name:TFTP Error\nwrong-board:Load rejected HC\nno-trust-list:No Trust List Installed\n"
)
#: These reasons have their line also if the decision is not about a file.
_WITHOUT_FILE = ("erased", "no-server", "wrong-board")


def vendor_line(decision):
    """The line for a Decision; None if a phone of the vendor shows nothing for it."""
    kind, reason = decision.kind, decision.reason
    is_list = kind in ("ctl", "itl")
    if is_list and reason == "not-found":
        if decision.evidence.get("installed"):
            return "File Not Found %sFile.tlv" % kind.upper()
        return "No CTL installed" if kind == "ctl" else "No Trust List Installed"
    if not is_list and "." not in kind and reason not in _WITHOUT_FILE:
        return None  # about a session with CAPF, the store, or a TLS server
    start = _ANY.find("\n%s:" % reason) + 1
    if start:
        return _ANY[start + len(reason) + 1 : _ANY.find("\n", start)]
    if is_list:
        if not decision.accepted:
            return "Trust List Update Failed"
        if reason == "unchanged":
            return None
        return "Trust List Updated" if decision.evidence.get("installed") else "%s Installed" % kind.upper()
    return _file_line(decision, kind, reason)


def _file_line(decision, kind, reason):
    if ".cnf.xml" in kind:
        if reason == "not-found":
            return "CFG file not found"
        if reason == "too-large":
            return "CFG TFTP Size Error"
        if decision.accepted:
            return kind  # these phones show the name of the configuration that they use
    elif reason == "not-found":
        return "File Not Found " + kind
    return "File Auth Fail " + kind if not decision.accepted and locks_out(reason) else None
