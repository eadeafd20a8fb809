# SPDX-License-Identifier: MIT
"""The sentences of judgements. Each names the signer, the facts that decided, and what an administrator can do."""

from agent.formats.text import shown, utc

TRUST_LOST = (
    "The trust stored on this phone cannot be read whole, so nothing is believed. Someone at the phone must erase the "
    "trust lists (console: erase itl, erase ctl) or write a new image; then it takes the cluster's lists anew."
)

#: Reason -> the place in which the signer's certificate was found.
PLACES = {
    "signed-by-ctl": "the installed CTL",
    "signed-by-itl": "the installed ITL",
    "first-use": "the list itself",
    "after-rollback": "the list itself",
}

_PURPOSES = {
    "application": "application server",
    "callmanager": "call manager",
    "capf": "CAPF server",
    "tvs": "TVS server",
    "configuration": "configuration server",
}


def _signer(case):
    return "%s (serial %s)" % (shown(case.header.subject), shown(case.header.serial.hex()))


def _file(case):
    return case.kind.upper() if case.trust_list is not None else case.kind


def evidence(case):
    """What was looked at, as a dictionary for JSON: the file, its signer, its digest algorithm, its records, and the answer of
    TVS if it was asked."""
    seen = {}
    header = case.header
    if header is not None:
        seen["filename"] = shown(header.filename)
        seen["signer"] = {
            "subject": shown(header.subject),
            "issuer": shown(header.issuer),
            "serial": shown(header.serial.hex()),
        }
        seen["digest_algorithm"] = header.digest_algorithm
        seen["timestamp"] = header.timestamp
        if case.installed is not None:
            seen["installed"] = case.installed
        if case.previous is not None:
            seen["previous_timestamp"] = case.previous
    if case.trust_list is not None:
        seen["records"] = case.trust_list.count
        seen["bytes"] = len(case.trust_list.data)
    if case.tvs is not None:
        seen["tvs"] = {
            "server": case.tvs.server,
            "status": case.tvs.status,
            "roles": list(case.tvs.roles),
            "text": shown(case.tvs.text, 500),
        }
    return seen


def unreadable(kind, refusal):
    """A file could not be read; refusal: the Refused that its reader raised."""
    name = kind.upper() if kind in ("ctl", "itl") else kind
    if refusal.reason == "too-large":
        return "%s: %s" % (name, refusal)
    return "%s cannot be read: %s. Look for a broken transfer or a damaged file on the TFTP server." % (name, refusal)


def wrong_file(case, wanted):
    """The header names another file than the file `wanted`, for which the phone asked."""
    return "The phone asked for %s, but the file's header says %s: the server has a file under a wrong name." % (
        wanted,
        shown(case.header.filename),
    )


def unchanged(case):
    """The same bytes are installed."""
    return "%s is installed already." % _file(case)


def signed(case, reason):
    """The signature verifies the file."""
    if reason == "first-use":
        return (
            "%s is signed by %s, verified with its own SAST record; it is the first list this phone takes, so "
            "compare its checksum with the cluster's." % (_file(case), _signer(case))
        )
    if reason == "after-rollback":
        return (
            "%s is signed by %s, verified with its own SAST record; the empty ITL of a rollback was installed, "
            "which lets any cluster's list in." % (_file(case), _signer(case))
        )
    return "%s is signed by %s, whose certificate is in %s." % (_file(case), _signer(case), PLACES[reason])


def bad_signature(case, place):
    """The signature does not verify the file. place: where the signer's certificate was found."""
    return (
        "%s says it is signed by %s, but the certificate of that signer in %s does not verify it: the file was "
        "changed, or signed with another key. Restart TFTP on the cluster and compare checksums."
        % (_file(case), _signer(case), place)
    )


def no_own_signer(case):
    """A first list has no SAST record of its own signer."""
    return "%s says it is signed by %s, but has no SAST record of that signer to verify it with." % (
        _file(case),
        _signer(case),
    )


def unknown_signer(case):
    """No installed list has the signer, and there is no TVS to ask."""
    return (
        "%s is signed by %s, a signer that neither the installed CTL nor the installed ITL has. No TVS certificate is "
        "installed, so the phone cannot ask TVS. Sign it with a key that the phone knows, or erase the trust lists at "
        "the phone." % (_file(case), _signer(case))
    )


def not_provisioned(case):
    """The policy allows no list to be taken on faith."""
    return (
        "This phone takes no first trust list by itself (policy provisioned-only); %s is signed by %s. Put the list "
        "into its image." % (_file(case), _signer(case))
    )


def weak(case, what):
    """The signer is too weak to be believed; what: "SHA-1", "an RSA key of 1024 bits", or both."""
    return "%s is signed by %s with %s, which this phone does not accept. Regenerate that certificate." % (
        _file(case),
        _signer(case),
        what,
    )


def weak_warning(what):
    """The signer is weak, but is still believed."""
    return "Signed with %s, which is weak; regenerate the certificate or raise the cluster's digest." % what


def older(case):
    """The lists have the signer, and the file is older than the file that it would replace: refused."""
    return (
        "%s is of %s, and the one that this phone has is of %s: a server hands out an old file again, or the cluster "
        "was restored from a backup. Have the cluster write the file anew, or let the phone take old files (setting replay: "
        "warn)." % (_file(case), utc(case.header.timestamp), utc(case.previous))
    )


def older_warning(case):
    """The lists have the signer, and the file is older than the file that it would replace: accepted with this warning."""
    return (
        "%s is of %s, older than the one that this phone had, which is of %s: the cluster was restored from a backup, "
        "or a server hands out an old file again." % (_file(case), utc(case.header.timestamp), utc(case.previous))
    )


def older_empty(case):
    """An empty list is not newer than the list that it would replace."""
    return (
        "%s is an empty list of a rollback, of %s, and the one that this phone has is of %s: phones never take an "
        "old empty list, because an attacker who kept one could strip them of their trust. To roll back, have the cluster "
        "write a new one." % (_file(case), utc(case.header.timestamp), utc(case.previous))
    )


def no_timestamp(case):
    """The file has no TIMESTAMP, so its age cannot be compared."""
    return "%s does not say when it was made, so the phone cannot tell an old file from a new one." % _file(case)


def tvs(case, reason):
    """What TVS answered, or why it gave no answer."""
    said = shown(case.tvs.text or "TVS: %s" % case.tvs.status, 500).rstrip(".")
    if case.header is None:
        what = "The %s's certificate is in no installed list." % _PURPOSES[case.kind]
    else:
        what = "%s is signed by %s, a signer that no installed list has." % (_file(case), _signer(case))
    advice = _NO_QUERY if case.tvs.status == "unsupported" else _TVS_ADVICE[reason]
    return "%s %s.%s" % (what, said, advice)


_TVS_ADVICE = {
    "vouched-by-tvs": "",
    "tvs-refused": " Check that this certificate is in the cluster's trust store, or that the phone is on the right cluster.",
    "tvs-unreachable": " Start the Trust Verification Service, or check names and routes to port 2445; then restart the phone.",
    "tvs-untrusted": (
        " The TVS certificate changed before the phone took a list with the new one: sign the ITL with the ITLRecovery key "
        "(utils itl reset localkey), or bring back the old TVS or CallManager certificate from a backup. Failing that, "
        "erase the trust lists at the phone."
    ),
    "tvs-wrong-role": " TVS knows it, but not for this use: check the certificate's place in the cluster's trust store.",
}

_NO_QUERY = (
    " That TVS only verifies certificates, and this file does not carry its signer's certificate: sign the file with a "
    "key of the installed lists, or upgrade the Trust Verification Service."
)


def tvs_other_certificate(case):
    """TVS said yes, but about another certificate."""
    return "%s is signed by %s, but TVS at %s answered with a certificate that is not that signer's." % (
        _file(case),
        _signer(case),
        case.tvs.server,
    )


def unsigned(name):
    """A file is not signed although trust is installed."""
    return (
        "%s is not signed, and this phone has trust lists installed. Start TFTP on the cluster so that it signs "
        "configuration, or prepare the cluster for rollback first." % name
    )


def unsigned_taken(name, reason):
    """A file is not signed and is accepted anyway; reason: why."""
    if reason == "after-rollback":
        return "%s is not signed; it is taken, because the installed ITL is the empty one of a rollback." % name
    if reason == "no-file-signer":
        return "%s is not signed; it is taken, because the installed lists name no signer of files." % name
    if reason == "from-trusted-server":
        return "%s came by HTTPS from a configuration server that this phone believes, so it needs no signature." % name
    return "%s is not signed; it is taken, because this phone has no trust list." % name


NO_FILE_SIGNER_WARNING = (
    "Anyone in this network can hand the phone such a file: add a certificate with the role TFTP to the cluster's lists and "
    "sign configuration with it."
)


def mixed_mode(name):
    """The default configuration is not used in mixed mode."""
    return (
        "The cluster is in mixed mode, where phones do not register by themselves: %s is not used. Add the phone first."
        % name
    )


def autoregistration(name):
    """The default configuration may be used."""
    return "The cluster has no configuration for this phone and is not in mixed mode: the phone asks for %s." % name


def server_listed(purpose, reason):
    """The server's certificate is in a list."""
    return "The %s's certificate is in the installed %s." % (_PURPOSES[purpose], reason[-3:].upper())


def server_after_rollback(purpose):
    """The installed ITL is empty, so the phone believes no TLS server that only the ITL could name."""
    return (
        "The installed ITL is the empty one of a rollback, so the %s is not trusted; switch rollback off on the cluster."
        % (_PURPOSES[purpose])
    )


def server_not_ec(purpose):
    """The server needs an EC key and has a key of another kind."""
    return (
        "The %s's certificate has no EC key; phones take configuration by HTTPS only from a server with an EC certificate "
        "that the lists have as TFTP or CCM+TFTP." % _PURPOSES[purpose]
    )


def server_unknown(purpose):
    """The server's certificate is in no list, and TVS cannot be asked about it."""
    if purpose == "tvs":
        return "The TVS server's certificate is in no installed list; TVS is not asked about itself."
    return (
        "The %s's certificate is in no installed list. No TVS certificate is installed, so the phone cannot ask TVS."
        % _PURPOSES[purpose]
    )
