# SPDX-License-Identifier: MIT
"""Every reason that a decision of this phone can have, in one table: the status, retries, docs/reasons.md and people read it.

A row says with which outcome the reason comes, whether such a refusal locks the phone out (a cluster is there and what it
offers is not believed, so a person has to do something), whether the phone tries again by itself after a while, and
what the reason means. Codes that docs/spec does not have are marked (ours)."""

ACCEPTED = "accepted"
REFUSED = "refused"
BOTH = "both"

_LOCKS = True
_AGAIN = True

#: reason code -> (outcome, locks out, tried again, meaning). The `text` of a Decision says it about the case at hand.
REASONS = {
    # A trust list, a signed file or a server is believed
    "unchanged": (ACCEPTED, False, False, "the same bytes are already installed"),
    "signed-by-ctl": (ACCEPTED, False, False, "signed by a certificate of the installed CTL"),
    "signed-by-itl": (ACCEPTED, False, False, "signed by a certificate of the installed ITL"),
    "vouched-by-tvs": (ACCEPTED, False, False, "the cluster's trust verification service vouches for it"),
    "first-use": (
        ACCEPTED,
        False,
        False,
        "the first trust list that this phone takes, believed because there was none",
    ),
    "after-rollback": (BOTH, False, False, "the empty ITL of a rollback is installed"),
    "no-trust-list": (BOTH, False, False, "no trust list is installed"),
    "no-file-signer": (ACCEPTED, False, False, "the installed lists name no signer of files, so files come unsigned"),
    "from-trusted-server": (ACCEPTED, False, False, "it came by HTTPS from a server that this phone believes"),
    "listed-in-ctl": (ACCEPTED, False, False, "the server's certificate stands in the installed CTL (ours)"),
    "listed-in-itl": (ACCEPTED, False, False, "the server's certificate stands in the installed ITL (ours)"),
    "nonsecure": (ACCEPTED, False, False, "the cluster is not in mixed mode (ours)"),
    # ... and is not
    "too-large": (REFUSED, _LOCKS, False, "over the size limit"),
    "malformed": (REFUSED, _LOCKS, False, "does not follow the format"),
    "unsupported": (REFUSED, _LOCKS, False, "signed in a way that this phone does not know"),
    "record-mismatch": (REFUSED, _LOCKS, False, "a record disagrees with its certificate"),
    "wrong-file": (REFUSED, _LOCKS, False, "its header names another file"),
    "bad-signature": (REFUSED, _LOCKS, False, "the signature does not fit"),
    "weak-key": (REFUSED, _LOCKS, False, "the key or digest is too weak"),
    "older-than-installed": (REFUSED, _LOCKS, False, "older than the one that is installed: a replay, or a backup"),
    "tvs-refused": (REFUSED, _LOCKS, False, "the trust verification service does not vouch for it"),
    "tvs-unreachable": (REFUSED, _LOCKS, _AGAIN, "no trust verification service answered"),
    "tvs-untrusted": (
        REFUSED,
        _LOCKS,
        False,
        "the trust verification service showed a certificate that the ITL does not have",
    ),
    "tvs-wrong-role": (
        REFUSED,
        _LOCKS,
        False,
        "the trust verification service vouches for it, but not for this use",
    ),
    "wrong-key": (REFUSED, False, False, "the server's key is of another kind than this use needs (ours)"),
    "not-provisioned": (REFUSED, _LOCKS, False, "this phone takes no first trust list by itself"),
    "unknown-signer": (REFUSED, _LOCKS, False, "nobody whom this phone trusts knows the signer"),
    "unsigned": (REFUSED, _LOCKS, False, "not signed, and this phone has trust installed"),
    "mixed-mode": (REFUSED, _LOCKS, False, "not allowed in mixed mode"),
    "trust-lost": (REFUSED, _LOCKS, False, "the stored trust cannot be read whole"),
    # A file was not to be had, or not to be kept
    "not-found": (BOTH, False, False, "the server has no such file (ours)"),
    "no-server": (REFUSED, False, _AGAIN, "no server answered (ours)"),
    "out-of-time": (REFUSED, False, _AGAIN, "the time that one boot may take is over (ours)"),
    "bad-name": (REFUSED, False, False, "no TFTP server can be asked for a file of this name (ours)"),
    "bad-transfer": (REFUSED, False, _AGAIN, "a server answered, but the file did not arrive whole (ours)"),
    "no-memory": (REFUSED, _LOCKS, False, "the phone has not enough memory for it (ours)"),
    "not-stored": (REFUSED, False, False, "the flash did not take it (ours)"),
    "too-many-writes": (REFUSED, False, _AGAIN, "the flash was written too often in this hour (ours)"),
    "busy": (REFUSED, False, _AGAIN, "the phone is busy with as many of these as it can do at once (ours)"),
    "bad-configuration": (REFUSED, False, False, "the signed configuration cannot be understood (ours)"),
    "cannot-decrypt": (REFUSED, _LOCKS, False, "the encrypted configuration is not for this phone's key (ours)"),
    "no-certificate": (
        BOTH,
        _LOCKS,
        False,
        "the configuration is encrypted, or CAPF asks for the certificate, and the phone has none (ours)",
    ),
    # A person at the phone
    "erased": (ACCEPTED, False, False, "a person at the phone erased the trust lists (ours)"),
    # A session with CAPF (ours)
    "installed": (ACCEPTED, False, False, "the phone has a new certificate (ours)"),
    "deleted": (ACCEPTED, False, False, "the phone's certificate and key are deleted (ours)"),
    "fetched": (ACCEPTED, False, False, "CAPF was shown the phone's certificate (ours)"),
    "no-action": (ACCEPTED, False, False, "CAPF had nothing to do for this phone (ours)"),
    "retry-later": (REFUSED, False, _AGAIN, "CAPF wants to be asked later (ours)"),
    "string-needed": (REFUSED, False, False, "CAPF wants an authentication string, which a person types in (ours)"),
    "wrong-string": (REFUSED, False, False, "CAPF does not accept the authentication string (ours)"),
    "certificate-needed": (REFUSED, False, False, "CAPF wants a certificate that the phone does not have (ours)"),
    "unknown-device": (REFUSED, False, False, "CAPF does not know this phone (ours)"),
    "refused": (REFUSED, False, False, "CAPF refused, or asked for what cannot be done (ours)"),
    "interrupted": (REFUSED, False, _AGAIN, "the session broke off in the middle (ours)"),
    "unreachable": (REFUSED, False, _AGAIN, "no CAPF server answered (ours)"),
    "untrusted": (REFUSED, False, False, "the CAPF server is not believed (ours)"),
    "no-capf": (REFUSED, False, False, "no configuration names a CAPF server (ours)"),
    # The phone's own software (docs/spec/loads.md)
    "load-installed": (ACCEPTED, False, False, "the load is on the card; the phone restarts into it for a trial"),
    "load-confirmed": (ACCEPTED, False, False, "the load passed its trial and stays"),
    "load-rolled-back": (REFUSED, False, False, "the load failed its trial; the one before runs again"),
    "load-failed": (REFUSED, False, False, "this load failed its trial last time and is not tried again by itself"),
    "load-too-old": (REFUSED, False, False, "a version below the one that this phone's maker still allows"),
    "wrong-board": (REFUSED, False, False, "a load for another board"),
    "not-authorized": (REFUSED, False, False, "no verified configuration asked for this load"),
}


def outcome(reason):
    """With which outcome this reason comes: ACCEPTED, REFUSED or BOTH. KeyError: no reason of this phone."""
    return REASONS[reason][0]


def locks_out(reason):
    """Whether a refusal for this reason locks the phone out until a person does something. KeyError as outcome()."""
    return REASONS[reason][1]


def try_again(reason):
    """Whether the phone tries again by itself what was refused for this reason. KeyError as outcome()."""
    return REASONS[reason][2]


def meaning(reason):
    """What this reason means, in a few words. KeyError as outcome()."""
    return REASONS[reason][3].replace(" (ours)", "")
