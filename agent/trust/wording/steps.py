# SPDX-License-Identifier: MIT
"""The sentences about steps of the phone that judge no bytes: a file is missing, a server is silent, memory is short."""

KEEPS = "The phone keeps what it has."

NO_SERVERS = (
    "No TFTP server is known: the settings name none, and DHCP gave neither option 150 nor option 66. The phone keeps "
    "what it has."
)

NO_MEMORY = "This phone does not have enough memory to judge this file; it keeps what it has."

#: A program asked about a server without a readable certificate.
NO_CERTIFICATE = "A program of this phone asked about a server, but did not send a readable certificate."

#: The server has no configuration for this phone, nor a default one.
NO_CONFIGURATION = (
    "The TFTP server has no configuration for this phone and no default one: add the phone on the cluster, or "
    "switch autoregistration on. The phone keeps what it has."
)

_ABSENT = {
    "ctl": "The TFTP server has no CTL; the cluster is not in mixed mode, or has lost its CTL.",
    "itl": "The TFTP server has no ITL: a cluster before 8.0.",
}


def no_list(kind, installed):
    """The server has no list of this kind; installed: whether the phone has one."""
    return _ABSENT[kind] + (" The phone keeps the one it has." if installed else "")


def failed(kind, error):
    """A file did not arrive; error: the TransferError."""
    if error.reason == "no-server":
        advice = "Start TFTP on the cluster or check the network; the phone keeps what it has."
    elif error.reason == "too-large" and kind in _ABSENT:
        advice = "Delete certificates that the cluster does not need; about 39 fit. " + KEEPS
    else:
        advice = KEEPS
    return "%s. %s" % (str(error).rstrip("."), advice)


def out_of_time(budget, costs):
    """The boot has used up its time. budget: ms. costs: [("TFTP 192.0.2.1:69", ms)], the most expensive server first."""
    text = "This boot has used up its %d s; the phone goes on with what it has and tries again later." % (
        budget // 1000
    )
    if costs:
        text += " The time went to: %s." % ", ".join(["%s (%d s)" % (where, cost // 1000) for where, cost in costs])
    return text


def no_encrypted(name):
    """The small document sends the phone to an encrypted file, `name`, that no server has."""
    return (
        "The cluster says that this phone's configuration is encrypted, but the server has no %s: restart TFTP on the "
        "cluster. The phone keeps its old configuration." % name
    )


def not_stored(kind, error):
    """A file was accepted but could not be written to flash, so the phone does not use it."""
    return "%s was accepted but could not be written to flash (%s); the phone keeps what it has." % (kind, error)


def file_not_stored(name, error):
    """A file for another program could not be written, or there is no room for it."""
    return "%s could not be written on this phone (%s); nothing of it is kept." % (name, error)


def bad_configuration(error):
    """A file was verified but cannot be read as a configuration."""
    return "The configuration was believed but cannot be read: %s. The phone keeps the one it has." % error


def erased(what):
    """A person at the phone removed trust: "ctl", "itl" or "all"."""
    name = "Everything" if what == "all" else "The %s" % what.upper()
    return "%s was erased by a person at the phone; restart it to take the cluster's lists anew." % name


def not_erased(error):
    """Writing to flash failed."""
    return "Nothing was erased: the flash could not be written (%s)." % error


def cannot_decrypt(name):
    """Decryption failed. There is one text for every cause, so that a wrong key and wrong padding look the same (X2)."""
    return (
        "%s is signed by the cluster, but no certificate of this phone opens it: let CAPF give the phone a new one, or "
        "have the cluster encrypt to the one it has. The phone keeps its old configuration." % name
    )


#: The configuration is encrypted, and the phone has neither LSC nor MIC.
NO_KEY = (
    "The cluster encrypts this phone's configuration, but the phone has no certificate of its own: let CAPF give it "
    "one (console: update lsc, with the authentication string if the cluster asks for it). The phone keeps its old "
    "configuration."
)

#: The outcome of a CAPF session, or the reason why there was none -> a sentence of advice or explanation.
_ENROLMENTS = {
    "installed": "",
    "deleted": "",
    "fetched": "",
    "no-action": "",
    "no-certificate": "",
    "retry-later": "The phone will ask again.",
    "string-needed": "Type it at the console: update lsc STRING.",
    "wrong-string": "Compare it with the one on the cluster and type it again: update lsc STRING.",
    "certificate-needed": "Choose another CAPF authentication mode for this phone on the cluster.",
    "unknown-device": "Add the phone on the cluster, or start its CAPF operation anew.",
    "refused": "Look at the CAPF operation of this phone on the cluster.",
    "not-stored": "",
    "interrupted": "The phone keeps what it has and asks again later.",
    "unreachable": "Start CAPF on the cluster or check names and routes; the phone asks again later.",
    "untrusted": "The phone sent it nothing.",
    "no-capf": "No configuration that this phone believes names a CAPF server, so the phone asks none.",
    "no-trust-list": "No trust list is installed that says which CAPF server to believe, so the phone asks none.",
    "trust-lost": "The stored trust cannot be read, so the phone asks no CAPF server.",
}


def enrolment(reason, text):
    """How a session with CAPF ended, or why there was none. text: the sentence of agent/servers/capf. KeyError for a reason
    that no enrolment has."""
    advice = _ENROLMENTS[reason]
    if not text:
        return advice
    return text.rstrip(".") + "." + (" " + advice if advice else "")


def waits_for_string(server):
    """A line of the log, not a decision: the cluster wants an enrolment that a person must begin. server: (host, port)."""
    return (
        "The cluster wants this phone to enrol with CAPF %s:%d by an authentication string, which a person types at the "
        "console: update lsc STRING." % server
    )
