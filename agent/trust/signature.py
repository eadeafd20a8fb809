# SPDX-License-Identifier: MIT
"""Does this signer's certificate verify this file, and is it strong enough? (docs/spec/rules.md, K1 to K3)"""

from agent.trust.wording import judgements as wording

KEY_BITS_MINIMUM = 1024
KEY_BITS_ADVISED = 2048


def verifies(crypto, key_kind, certificate, header, digest):
    """Whether the key of a certificate (DER) verifies a file with this header. key_kind: "rsa", "ec" or "other". digest: the
    digest of the signed bytes.

    The header says which kind of signature a file has, and that kind is always RSA (agent/formats/header.py). So a key of
    another kind never verifies a file, whatever the signature's bytes are (docs/spec/rules.md, K3)."""
    if key_kind != "rsa":
        return False
    try:
        return crypto.verify(certificate, header.digest_algorithm, digest, header.signature)
    except ValueError:
        return False  # a key of this size cannot have signed the file


class Signatures:
    """The rules of signatures for one phone. refuse_weak: refuse SHA-1 and 1024-bit keys instead of warning."""

    def __init__(self, crypto, refuse_weak=False):
        self._crypto = crypto
        self._refuse_weak = refuse_weak

    def judge(self, case, known):
        """L4 and F1: the first list that has the signer decides. Returns a Decision, or None if no list has the signer.

        known: [(reason, list, roles)]. A list may have several certificates with the signer's issuer and serial number; one
        that verifies is enough. A certificate whose name cannot be compared (N4) counts only if it verifies."""
        for reason, trust_list, roles in known:
            weak = bad = None
            for record, sure in trust_list.signers(case.header.issuer, case.header.serial, roles):
                refused = self.weak(case, record.key_kind, record.key_bits)
                if refused is not None:
                    weak = weak or (refused if sure else None)
                elif self.verify(case, record.key_kind, record.certificate):
                    return case.accept(reason, wording.signed(case, reason))
                elif sure:
                    bad = bad or case.refuse("bad-signature", wording.bad_signature(case, wording.PLACES[reason]))
            if weak or bad:
                return weak or bad
        return None

    def verify(self, case, key_kind, certificate):
        """Whether this certificate (DER), whose key is of key_kind, verifies the file of a case."""
        return verifies(self._crypto, key_kind, certificate, case.header, case.digest())

    def weak(self, case, key_kind, key_bits):
        """A Decision that refuses if the signer's key or digest is too weak (docs/spec/rules.md, K1 and K2). Otherwise None, and
        the case gets a warning for each weakness. key_bits: bits."""
        case.warnings = []
        if key_kind == "rsa" and key_bits < KEY_BITS_MINIMUM:
            return case.refuse("weak-key", wording.weak(case, "an RSA key of %d bits" % key_bits))
        weak = []
        if key_kind == "rsa" and key_bits < KEY_BITS_ADVISED:
            weak.append("an RSA key of %d bits" % key_bits)
        if case.header.digest_algorithm == "sha1":
            weak.append("SHA-1")
        if weak and self._refuse_weak:
            return case.refuse("weak-key", wording.weak(case, " and ".join(weak)))
        case.warnings = [wording.weak_warning(what) for what in weak]
        return None
