# SPDX-License-Identifier: MIT
"""Signatures on paper: a plan needs no private key, and reads none.

A `PaperKey` stands for a private key of which only the certificate is known. Only `PaperCrypto` of the same `PaperSignatures`
believes its signatures: a signature is a code made with a secret that exists as long as the plan. Files that the cluster has
signed keep their real signature, so that a list without a change stays the same list."""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hal.host import certificate
from hal.host.with_cryptography import HostCrypto
from host_tools.lab.model.keys import Identity

_SIGNATURE, _HEADER_LENGTH = 12, 2  # tags of a header: docs/spec/formats.md


class PaperSignatures:
    """The signatures of one plan: the real ones of existing files, and the secret for new ones."""

    def __init__(self):
        self._secret = os.urandom(32)
        self._real = {}

    def learn(self, content):
        """Note the real signature of a list or a signed file (bytes); other bytes are ignored."""
        found = _signature(content)
        if found is not None:
            start, end = found
            signed = hashlib.sha256(content[: start - 3] + content[end:]).digest()
            self._real.setdefault(signed, content[start:end])

    def real(self, data):
        """The real signature over exactly these bytes, or None."""
        return self._real.get(hashlib.sha256(data).digest())

    def code(self, public_key, algorithm, digest, size):
        """The signature of `size` bytes that a PaperKey of this public key (SubjectPublicKeyInfo DER) makes."""
        words = b"|".join([hashlib.sha256(public_key).digest(), algorithm.encode(), bytes(digest)])
        return hashlib.shake_256(hmac.digest(self._secret, words, "sha256")).digest(size)

    def identity(self, certificate):
        """An Identity that signs on paper if its key is RSA; other keys never sign lists."""
        public_key = certificate.public_key()
        return Identity(certificate, PaperKey(public_key, self) if isinstance(public_key, rsa.RSAPublicKey) else None)


class PaperKey:
    """In place of an RSAPrivateKey: has the methods that writers of files for phones use."""

    def __init__(self, public_key, signatures):
        self._public_key = public_key
        self._signatures = signatures
        self._der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def key_size(self):
        """Bits."""
        return self._public_key.key_size

    def public_key(self):
        """As of RSAPrivateKey."""
        return self._public_key

    def sign(self, data, padding, algorithm):
        """As of RSAPrivateKey, for PKCS #1 v1.5."""
        del padding
        real = self._signatures.real(data)
        if real is not None:
            return real
        digest = hashes.Hash(algorithm)
        digest.update(data)
        return self._signatures.code(self._der, algorithm.name, digest.finalize(), self.key_size // 8)


rsa.RSAPrivateKey.register(PaperKey)  # the lab's writers ask whether a key can sign files


class PaperCrypto(HostCrypto):
    """The crypto of phones on paper: it verifies real signatures, and those of `signatures`."""

    def __init__(self, signatures):
        self._signatures = signatures

    def verify(self, certificate_der, algorithm, digest, signature):
        """As of HostCrypto."""
        public_key = bytes(certificate.read(certificate_der).public_key)
        if hmac.compare_digest(bytes(signature), self._signatures.code(public_key, algorithm, digest, len(signature))):
            return True
        return super().verify(certificate_der, algorithm, digest, signature)


def _signature(content):
    """(start, end) of the value of the SIGNATURE in the header of a signed file, or None where there is none."""
    offset, end = 0, len(content)
    while offset + 3 <= end:
        tag, length = content[offset], int.from_bytes(content[offset + 1 : offset + 3], "big")
        offset += 3
        if tag == _HEADER_LENGTH and length == 2 and offset + 2 <= len(content):
            end = min(end, int.from_bytes(content[offset : offset + 2], "big"))
        if tag == _SIGNATURE:
            return (offset, offset + length) if offset + length <= len(content) else None
        offset += length
    return None
