# SPDX-License-Identifier: MIT
"""The phone's own certificates: the LSC that CAPF gave it, and the MIC of its maker.

The rules, in their order:
1. the LSC and its key are stored and removed together, in one write, so a loss of power leaves both or neither;
2. a stored pair is used only if certificate and key belong together;
3. the phone shows servers the LSC, or the MIC if it has no LSC (docs/spec/tvs.md, T1). It tries both keys on an encrypted
   configuration, in that order.
"""

from binascii import a2b_base64

_BEGIN, _END = "-----BEGIN ", "-----END "


class Identity:
    """The certificates of one phone. lsc, mic: each a pair (certificate DER, private key DER), or None if the phone has none."""

    def __init__(self, store, crypto, mic=None, show=None):
        """store: agent.flash.writes.CountedStore. mic: a pair that the launcher read, or None. show(pair): called with the
        pair that is shown to servers, whenever it changes. Raises ValueError if certificate and key of `mic` do not belong
        together."""
        self._store = store
        self._crypto = crypto
        self._show = show
        self.lsc = None
        if mic is not None and not self._belong_together(mic):
            raise ValueError("the key is not the one of the certificate")
        self.mic = mic

    @property
    def shown(self):
        """The pair that is shown to servers which ask for a certificate: the LSC, else the MIC, else None."""
        return self.lsc or self.mic

    def private_keys(self):
        """The private keys (DER) that a configuration may be encrypted to, best first."""
        return [pair[1] for pair in (self.lsc, self.mic) if pair is not None]

    def load(self, stored):
        """Take the LSC from a stored state (agent.flash.slot.Stored), or drop it for None. Raises OSError from the flash."""
        certificate = key = None
        if stored is not None:
            certificate, key = stored.read("lsc"), stored.read("lsc-key")
        pair = None
        if certificate is not None and key is not None:
            pair = (bytes(certificate), bytes(key))
            try:
                if not self._belong_together(pair):
                    pair = None
            except ValueError:
                pair = None  # unreadable: the phone goes on without an LSC, and CAPF gives it a new one
        self._use(pair)

    def _use(self, lsc):
        self.lsc = lsc
        if self._show:
            self._show(self.shown)

    def keep(self, certificate, key):
        """Store a new LSC and its key in one write, and use them. Errors are those of CountedStore.save; after an error the old
        pair stays."""
        pair = (bytes(certificate), bytes(key))
        self._store.save({"lsc": pair[0], "lsc-key": pair[1]})
        self._use(pair)

    def drop(self):
        """Remove the LSC and its key in one write. Errors are those of CountedStore.save; after an error both stay."""
        self._store.save({"lsc": None, "lsc-key": None})
        self._use(None)

    def describe(self):
        """The LSC as a dictionary for JSON, or None if there is none.

        subject, issuer: text. serial: hexadecimal. not_after: "YYYYMMDDHHMMSSZ". key: "rsa 2048", "ec 256", ..."""
        if self.lsc is None:
            return None
        from agent.formats import names

        found = self._crypto.certificate(self.lsc[0])
        return {
            "subject": names.to_text(found.subject),
            "issuer": names.to_text(found.issuer),
            "serial": found.serial.hex(),
            "not_after": found.not_after,
            "key": "%s %d" % (found.key_kind, found.key_bits),
        }

    def _belong_together(self, pair):
        return self._crypto.public_key(pair[1]) == self._crypto.certificate(pair[0]).public_key


def parse_pem(text):
    """(certificate DER, private key DER) from a PEM text that has one of each, in any order. The key must not be encrypted.

    Raises ValueError, which says what is missing or wrong."""
    certificate = key = None
    at = text.find(_BEGIN)
    while at >= 0:
        label_end = text.find("-----", at + len(_BEGIN))
        label = text[at + len(_BEGIN) : label_end]
        end = text.find(_END + label + "-----", label_end)
        if label_end < 0 or end < 0:
            raise ValueError("a PEM block without its end")
        body = text[label_end + 5 : end]
        if label == "CERTIFICATE" and certificate is None:
            certificate = _decode(body, label)
        elif label == "ENCRYPTED PRIVATE KEY" or "Proc-Type:" in body:
            raise ValueError("the private key is encrypted; a phone needs one without a password")
        elif label.endswith("PRIVATE KEY") and key is None:
            key = _decode(body, label)
        at = text.find(_BEGIN, end)
    for found, what in ((certificate, "certificate"), (key, "private key")):
        if not found:
            raise ValueError("there is no %s in PEM in it" % what)
    return certificate, key


def _decode(body, label):
    try:
        return a2b_base64("".join(body.split()))
    except ValueError:  # the base class of binascii.Error
        raise ValueError("the %s is not base64" % label.lower())
