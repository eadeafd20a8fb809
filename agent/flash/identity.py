# SPDX-License-Identifier: MIT
"""The phone's own certificates: the LSC that CAPF gave it, and the MIC of its maker.

Rules kept here, in this order:
1. the LSC and its key are stored, and removed, together in one write: a loss of power leaves both or neither;
2. a stored pair that does not belong together is not used;
3. the phone shows the LSC, or without one the MIC (docs/spec/tvs.md, T1), and tries both keys on an encrypted
   configuration, in that order.
"""

from binascii import a2b_base64

_BEGIN, _END = "-----BEGIN ", "-----END "


class Identity:
    """The certificates of one phone, each (certificate DER, private key DER), or None where it has none: lsc, mic."""

    def __init__(self, store, crypto, mic=None, show=None):
        """store: agent.flash.writes.CountedStore. mic: a pair that the launcher read. show(pair): called with the pair to
        show to servers, whenever that changes. Raises ValueError where the mic is no pair."""
        self._store = store
        self._crypto = crypto
        self._show = show
        self.lsc = None
        if mic is not None and not self._belong_together(mic):
            raise ValueError("the key is not the one of the certificate")
        self.mic = mic

    @property
    def shown(self):
        """The pair to show to servers that ask: LSC, else MIC, else None."""
        return self.lsc or self.mic

    def private_keys(self):
        """The private keys (DER) that a configuration may be encrypted to, best first."""
        return [pair[1] for pair in (self.lsc, self.mic) if pair is not None]

    def load(self, stored):
        """Take the LSC from a stored state (None: there is none)."""
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
                pair = None  # the same as no LSC: CAPF gives a new one
        self._use(pair)

    def _use(self, lsc):
        self.lsc = lsc
        if self._show:
            self._show(self.shown)

    def keep(self, certificate, key):
        """Make a new LSC and its key the phone's, in one write. OSError: the flash failed, the old ones stand."""
        pair = (bytes(certificate), bytes(key))
        self._store.save({"lsc": pair[0], "lsc-key": pair[1]})
        self._use(pair)

    def drop(self):
        """Remove the LSC and its key, in one write. OSError: the flash failed, and both stay."""
        self._store.save({"lsc": None, "lsc-key": None})
        self._use(None)

    def describe(self):
        """The LSC as a dictionary for JSON, None where there is none.

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
    """(certificate DER, private key DER) of a PEM text with one of each, in any order; the key is not encrypted.

    Raises ValueError that says what is missing or wrong."""
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
    except ValueError:  # binascii.Error is one
        raise ValueError("the %s is not base64" % label.lower())
