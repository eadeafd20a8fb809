# SPDX-License-Identifier: MIT
"""Every reason that a decision of this phone can have, in one table. The status, retries and docs/reasons.md read it.

A row has the outcome that goes with the reason, says whether such a refusal locks the phone out (a cluster is there, but the
phone does not believe what it offers, so a person has to do something) and whether the phone tries again by itself after a
while, and explains the reason in one line. Codes that docs/spec does not have are marked (ours). The table is one text,
because a phone has little memory and looks up one row at a time."""

ACCEPTED = "accepted"
REFUSED = "refused"
BOTH = "both"

#: Code, outcome, locks out?, tried again?, meaning. The `text` of a Decision explains the reason for the case at hand.
_TABLE = """
# A trust list, a signed file or a server is believed
unchanged             accepted  -     -      the same bytes are already installed
signed-by-ctl         accepted  -     -      signed by a certificate of the installed CTL
signed-by-itl         accepted  -     -      signed by a certificate of the installed ITL
vouched-by-tvs        accepted  -     -      the cluster's trust verification service vouches for it
first-use             accepted  -     -      the first trust list that this phone takes, believed because there was none
after-rollback        both      -     -      the empty ITL of a rollback is installed
no-trust-list         both      -     -      no trust list is installed
no-file-signer        accepted  -     -      the installed lists name no signer of files, so files come unsigned
from-trusted-server   accepted  -     -      it came by HTTPS from a server that this phone believes
listed-in-ctl         accepted  -     -      the server's certificate is in the installed CTL (ours)
listed-in-itl         accepted  -     -      the server's certificate is in the installed ITL (ours)
nonsecure             accepted  -     -      the cluster is not in mixed mode (ours)
# ... and is not
too-large             refused   locks -      over the size limit
malformed             refused   locks -      does not follow the format
unsupported           refused   locks -      signed in a way that this phone does not know
record-mismatch       refused   locks -      a record disagrees with its certificate
wrong-file            refused   locks -      its header names another file
bad-signature         refused   locks -      the signature does not fit
weak-key              refused   locks -      the key or digest is too weak
older-than-installed  refused   locks -      older than the installed one: a replay, or a backup
tvs-refused           refused   locks -      the trust verification service does not vouch for it
tvs-unreachable       refused   locks again  no trust verification service answered
tvs-untrusted         refused   locks -      the trust verification service showed a certificate that the ITL does not have
tvs-wrong-role        refused   locks -      the trust verification service vouches for it, but not for this use
wrong-key             refused   -     -      the server's key is of another kind than this use needs (ours)
not-provisioned       refused   locks -      this phone takes no first trust list by itself
unknown-signer        refused   locks -      no installed list has the signer, and there is no TVS to ask
unsigned              refused   locks -      not signed, and this phone has trust installed
mixed-mode            refused   locks -      not allowed in mixed mode
trust-lost            refused   locks -      the stored trust cannot be read whole
# A file could not be fetched or stored
not-found             both      -     -      the server has no such file (ours)
no-server             refused   -     again  no server answered (ours)
out-of-time           refused   -     again  the time that one boot may take is over (ours)
bad-name              refused   -     -      no TFTP server can be asked for a file of this name (ours)
bad-transfer          refused   -     again  a server answered, but the file did not arrive whole (ours)
no-memory             refused   locks -      the phone does not have enough memory for it (ours)
not-stored            refused   -     -      it could not be written to flash (ours)
too-many-writes       refused   -     again  the flash was written too often in this hour (ours)
busy                  refused   -     -      the service cannot do more of these at once; the program can ask again (ours)
bad-configuration     refused   -     -      the signed configuration cannot be understood (ours)
cannot-decrypt        refused   locks -      the encrypted configuration is not for this phone's key (ours)
no-certificate        both      locks -      the phone needs a certificate of its own and has none (ours)
# A person at the phone
erased                accepted  -     -      a person at the phone erased the trust lists (ours)
# A session with CAPF (ours)
installed             accepted  -     -      the phone has a new certificate (ours)
deleted               accepted  -     -      the phone's certificate and key are deleted (ours)
fetched               accepted  -     -      the phone showed CAPF its certificate (ours)
no-action             accepted  -     -      CAPF had nothing to do for this phone (ours)
retry-later           refused   -     again  CAPF wants to be asked later (ours)
string-needed         refused   -     -      CAPF wants an authentication string, which a person types in (ours)
wrong-string          refused   -     -      CAPF does not accept the authentication string (ours)
certificate-needed    refused   -     -      CAPF wants a certificate that the phone does not have (ours)
unknown-device        refused   -     -      CAPF does not know this phone (ours)
refused               refused   -     -      CAPF refused, or asked for something that cannot be done (ours)
interrupted           refused   -     again  the session broke off in the middle (ours)
unreachable           refused   -     again  no CAPF server answered (ours)
untrusted             refused   -     -      the CAPF server is not believed (ours)
no-capf               refused   -     -      no configuration names a CAPF server (ours)
# The phone's own software (docs/spec/loads.md)
load-installed        accepted  -     -      the load is on the card; the phone restarts into it for a trial
load-confirmed        accepted  -     -      the load passed its trial and stays
load-rolled-back      refused   -     -      the load failed its trial; the previous load runs again
load-failed           refused   -     -      this load failed its trial last time; the phone does not try it again by itself
load-too-old          refused   -     -      older than the oldest version that this phone's maker still allows
wrong-board           refused   -     -      the load is for another board
not-authorized        refused   -     -      no verified configuration asked for this load
"""


def _row(reason):
    """[outcome, "locks" or "-", "again" or "-", meaning]. KeyError for a code that is not in the table."""
    start = _TABLE.find("\n%s " % reason) + 1
    if not start:
        raise KeyError(reason)
    return _TABLE[start : _TABLE.find("\n", start)].split(None, 4)[1:]


def codes():
    """All reasons, in the order of the table."""
    return [line.split(None, 1)[0] for line in _TABLE.strip().split("\n") if line[0] != "#"]


def outcome(reason):
    """The outcome that goes with this reason: ACCEPTED, REFUSED or BOTH. KeyError for a code that is not in the table."""
    return _row(reason)[0]


def locks_out(reason):
    """Whether a refusal for this reason locks the phone out until a person does something. KeyError as outcome()."""
    return _row(reason)[1] == "locks"


def try_again(reason):
    """Whether the phone tries again by itself after a refusal for this reason. KeyError as outcome()."""
    return _row(reason)[2] == "again"


def meaning(reason):
    """What this reason means, in a few words. KeyError as outcome()."""
    return _row(reason)[3].replace(" (ours)", "")


def is_ours(reason):
    """Whether docs/spec does not have this code. KeyError as outcome()."""
    return _row(reason)[3].endswith(" (ours)")
