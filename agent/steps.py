# SPDX-License-Identifier: MIT
"""Decisions about steps of the boot that are no judgement of bytes: nothing there, nobody there, no room."""

from agent.decision import Decision

NO_SERVERS = (
    "No TFTP server is known: the settings name none, and DHCP gave neither option 150 nor option 66. The phone keeps "
    "what it has."
)

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
    else:
        advice = " The phone keeps what it has."
    return Decision(False, error.reason, kind, "%s.%s" % (str(error).rstrip("."), advice))


def not_stored(kind, error):
    """Accepted, but the flash did not take it; then it is not used either."""
    return "%s was accepted but could not be written to flash (%s); the phone keeps what it has." % (kind, error)


def bad_configuration(error):
    """Verified, but no configuration."""
    return "The configuration is signed by the cluster but cannot be read: %s. The phone keeps the one it has." % error


def erased(what):
    """A person at the phone removed trust."""
    name = "Everything" if what == "all" else "The %s" % what.upper()
    return "%s was erased by a person at the phone; restart it to take the cluster's lists anew." % name


def not_erased(error):
    """The flash did not take it."""
    return "Nothing was erased: the flash could not be written (%s)." % error
