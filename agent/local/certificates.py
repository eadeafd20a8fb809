# SPDX-License-Identifier: MIT
"""Writes files with certificates beside the service's socket, for programs that only know files (docs/keys.md).

    callmanagers.pem    applications.pem    capf.pem    the certificates that CTL and ITL list for these; may be empty
    phone.pem           the phone's own certificate, and the block by which OpenSSL finds its key; missing if it has none
    time                the newest TIMESTAMP of these lists, in seconds since 1970; the current time is not earlier

When the installed lists or the phone's certificate change, each file is replaced as a whole, so that no program reads half a
file. The files have what the lists have; certificates for which only TVS would vouch are missing."""

from agent.errors import TrustLost
from agent.formats import pem

#: The file's name -> a key of agent.trust.rules.PURPOSES.
SERVERS = {"callmanagers.pem": "callmanager", "applications.pem": "application", "capf.pem": "capf"}
PHONE = "phone.pem"
TIME = "time"
TOKEN = "phonetrust"  # the label of the token of libphonetrust-pkcs11.so


class CertificateFiles:
    """Keeps the files up to date. published: the HAL's, None if the phone keeps no files. judge: agent.servers.judge.Judge.
    identity: agent.flash.identity.Identity. log(line): called if the files could not be written."""

    def __init__(self, published, judge, identity, log):
        self._published = published
        self._judge = judge
        self._identity = identity
        self._log = log
        self._written = None  # (the judge's version, the LSC) from which the files were made

    def update(self):
        """Write the files if their content has changed. A failure is logged once; the next call tries again."""
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
            if self._written != "failed":  # logged only once
                self._log("the certificates for other programs could not be written: %s" % error)
            self._written = "failed"
            return
        self._written = made_of

    def _write_time(self, trust):
        """Write `time`. A board has no clock that runs without power, and programs that check dates cannot work in 1970."""
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
