# SPDX-License-Identifier: MIT
"""Certificates for programs that only know files, kept current beside the service's socket (docs/keys.md).

    callmanagers.pem    applications.pem    capf.pem    what CTL and ITL list for these; no certificate: an empty file
    phone.pem           the phone's own certificate, and the block by which OpenSSL finds its key; gone without one
    time                the newest TIMESTAMP of these lists, in seconds since 1970: it cannot be earlier than that

Each is replaced as a whole, so that nobody reads half of one, whenever other lists are installed or the phone has another
certificate. They say what the lists say and no more: what TVS would vouch for is not in them."""

from agent.errors import TrustLost
from agent.formats import pem

#: file -> purpose of agent.trust.rules.PURPOSES
SERVERS = {"callmanagers.pem": "callmanager", "applications.pem": "application", "capf.pem": "capf"}
PHONE = "phone.pem"
TIME = "time"
TOKEN = "phonetrust"  # of libphonetrust-pkcs11.so


class CertificateFiles:
    """published: of the HAL, None where the phone keeps no files. judge: has .trust. identity: of the keeper. log(line):
    what could not be written."""

    def __init__(self, published, judge, identity, log):
        self._published = published
        self._judge = judge
        self._identity = identity
        self._log = log
        self._written = ()  # the objects that the files were made of

    def update(self):
        """Write what has changed since the last time. A failure is said in the log, and tried again the next time."""
        if self._published is None:
            return
        trust = self._judge.trust
        objects = (trust, trust.ctl, trust.itl, self._identity.lsc)
        if len(self._written) == len(objects) and all([one is other for one, other in zip(objects, self._written)]):
            return
        try:
            for name in sorted(SERVERS):
                listed = trust.certificates(SERVERS[name])
                self._published.replace(name, (pem.block("CERTIFICATE", der) for der in listed))
            self._write_own()
            self._write_time(trust)
        except (OSError, TrustLost, MemoryError) as error:
            if self._written != (None,):  # said once
                self._log("the certificates for other programs could not be written: %s" % error)
            self._written = (None,)
            return
        self._written = objects

    def _write_time(self, trust):
        """A board has no clock of its own; programs that check dates need one that is not in 1970."""
        times = [found.header.timestamp for found in (trust.ctl, trust.itl) if found is not None]
        times = [time for time in times if time is not None]
        if times:
            self._published.replace(TIME, ["%d\n" % max(times)])

    def _write_own(self):
        pair = self._identity.shown
        if pair is None:
            self._published.remove(PHONE)
            return
        label = "LSC" if pair is self._identity.lsc else "MIC"
        uri = "pkcs11:token=%s;object=%s;type=private" % (TOKEN, label)
        self._published.replace(PHONE, [pem.block("CERTIFICATE", pair[0]), pem.provider_uri(uri)])
