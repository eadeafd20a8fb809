# SPDX-License-Identifier: MIT
"""Certificates for programs that only know files, kept current beside the service's socket (docs/keys.md).

    callmanagers.pem    applications.pem    capf.pem    the certificates that CTL and ITL list for these; may be empty
    phone.pem           the phone's own certificate, and the block by which OpenSSL finds its key; missing without one
    time                the newest TIMESTAMP of these lists, in seconds since 1970: it cannot be earlier than that

Whenever other lists are installed, or the phone has another certificate, each file is replaced as a whole, so that no
program reads half a file. They hold what the lists hold; certificates that only TVS would vouch for are not in them."""

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
        self._written = None  # what the files were made of: the judge's version, and the LSC

    def update(self):
        """Write what has changed since the last time. A failure is logged, and tried again the next time."""
        if self._published is None:
            return
        trust = self._judge.trust
        made_of = (self._judge.version, self._identity.lsc)
        if self._written == made_of:
            return
        try:
            for name in sorted(SERVERS):
                listed = trust.certificates(SERVERS[name])
                self._published.replace(name, (pem.block("CERTIFICATE", der) for der in listed))
            self._write_own()
            self._write_time(trust)
        except (OSError, TrustLost, MemoryError) as error:
            if self._written != "failed":  # said once
                self._log("the certificates for other programs could not be written: %s" % error)
            self._written = "failed"
            return
        self._written = made_of

    def _write_time(self, trust):
        """A board has no clock of its own, and programs that check dates need one that is not in 1970."""
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
