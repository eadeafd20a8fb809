# SPDX-License-Identifier: MIT
"""The crypto part of the HAL by the package `cryptography` (CPython only).

A PC without libphonetrust uses it, and tests compare the native library with it. `hal/__init__.py` describes the interface.
hal/host/certificate.py reads certificates; `cryptography` reads their keys.
"""

import hashlib
import os

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from hal.host import certificate

DIGEST_SIZES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
CURVES = ("secp256r1", "secp384r1", "secp521r1")
TLS_DIGESTS = ("sha256", "sha384", "sha512")
RSA_BITS = (1024, 4096)
EC_CURVES = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}
AES_SIZES = (16, 24, 32)


class HostCrypto:
    """The crypto part by `cryptography` and `hashlib`."""

    name = "cryptography"

    def digest(self, algorithm, data, cut=None):
        """The digest of `data` without the slice cut=(offset, length). Raises ValueError if the algorithm is unknown, or the cut
        lies outside of `data`."""
        running = _new_hash(algorithm)
        if cut is None:
            running.update(data)
            return running.digest()
        offset, length = cut
        view = memoryview(data)
        if offset < 0 or length < 0 or offset + length > len(view):
            raise ValueError(f"cut {offset}+{length} lies outside of {len(view)} bytes")
        running.update(view[:offset])
        running.update(view[offset + length :])
        return running.digest()

    def digest_stream(self, algorithm):
        """A DigestStream. Raises ValueError if the algorithm is unknown."""
        return DigestStream(_new_hash(algorithm))

    def verify(self, certificate_der, algorithm, digest, signature):
        """Whether `signature` over `digest` verifies with the certificate's key.

        Raises ValueError if the certificate is unreadable, its key is neither RSA of 1024 to 4096 bits nor EC on P-256, P-384
        or P-521, or the digest has the wrong size.
        """
        if algorithm not in DIGEST_SIZES:
            raise ValueError(f"unknown digest algorithm {algorithm!r}")
        if len(digest) != DIGEST_SIZES[algorithm]:
            raise ValueError(f"a digest of {len(digest)} bytes is not {algorithm}")
        key = _supported_public_key(certificate.read(certificate_der))
        prehashed = Prehashed(HASHES[algorithm]())
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(bytes(signature), bytes(digest), padding.PKCS1v15(), prehashed)
            else:
                key.verify(bytes(signature), bytes(digest), ec.ECDSA(prehashed))
        except InvalidSignature:
            return False
        return True

    def certificate(self, der):
        """The fields of a certificate. Raises ValueError if `der` is not exactly one DER certificate."""
        return certificate.read(der)

    def make_key(self, kind, bits):
        """A new key: (private key DER, SubjectPublicKeyInfo DER). "rsa" of 1024 to 4096 bits, or "ec" of 256, 384 or 521 bits.
        Raises ValueError for another kind or size.
        """
        if kind == "rsa" and RSA_BITS[0] <= bits <= RSA_BITS[1] and bits % 64 == 0:
            key = rsa.generate_private_key(65537, bits)
        elif kind == "ec" and bits in EC_CURVES:
            key = ec.generate_private_key(EC_CURVES[bits]())
        else:
            raise ValueError(f"{kind} key of {bits} bits: unsupported")
        # libphonetrust uses the same encodings: RSAPrivateKey (RFC 8017), ECPrivateKey (RFC 5915).
        encoding = serialization.PrivateFormat.TraditionalOpenSSL
        private_key = key.private_bytes(serialization.Encoding.DER, encoding, serialization.NoEncryption())
        return private_key, _public_der(key)

    def public_key(self, private_key):
        """The SubjectPublicKeyInfo (DER) of a private key. Raises ValueError if the key is unreadable."""
        return _public_der(_private(private_key))

    def sign(self, private_key, scheme, digest):
        """A signature over a digest, "rsa-bare" (without a DigestInfo) or "ecdsa" (DER). Raises ValueError if the key cannot be
        read or is not for this scheme, or the digest has the wrong size."""
        key = _private(private_key)
        if scheme == "rsa-bare" and isinstance(key, rsa.RSAPrivateKey) and 0 < len(digest) <= 64:
            return key.sign(bytes(digest), padding.PKCS1v15(), NoDigestInfo())
        if scheme == "ecdsa" and isinstance(key, ec.EllipticCurvePrivateKey):
            for name, size in DIGEST_SIZES.items():
                if len(digest) == size:
                    return key.sign(bytes(digest), ec.ECDSA(Prehashed(HASHES[name]())))
        raise ValueError(f"unknown signature scheme {scheme!r}, a key that is not for it, or a digest of a wrong size")

    def sign_tls(self, private_key, scheme, algorithm, digest):
        """A signature for a TLS handshake, over a digest of exactly this algorithm (`hal/__init__.py`). Raises ValueError."""
        if algorithm not in TLS_DIGESTS or len(digest) != DIGEST_SIZES[algorithm]:
            raise ValueError(f"signing: {len(digest)} bytes as {algorithm!r}")
        key = _private(private_key)
        prehashed = Prehashed(HASHES[algorithm]())
        if scheme == "ecdsa" and isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(bytes(digest), ec.ECDSA(prehashed))
        if scheme == "rsa-pkcs1" and isinstance(key, rsa.RSAPrivateKey):
            return key.sign(bytes(digest), padding.PKCS1v15(), prehashed)
        if scheme == "rsa-pss" and isinstance(key, rsa.RSAPrivateKey):
            pss = padding.PSS(padding.MGF1(HASHES[algorithm]()), DIGEST_SIZES[algorithm])
            return key.sign(bytes(digest), pss, prehashed)
        raise ValueError(f"signing: {scheme!r} with a key that is not for it")

    def unwrap_key(self, private_key, wrapped, length):
        """The AES key of `length` bytes (16, 24, 32) that was wrapped for an RSA key by RSAES-PKCS1-v1_5.

        A wrong private key or wrong padding gives random bytes and no error. Raises ValueError if the private key is
        unreadable or not RSA, or if `wrapped` is not as long as its modulus.
        """
        key = _private(private_key)
        if not isinstance(key, rsa.RSAPrivateKey) or len(wrapped) != (key.key_size + 7) // 8 or length not in AES_SIZES:
            raise ValueError("wrapped key: not an RSA key, or a length that does not fit")
        random = os.urandom(length)
        try:
            unwrapped = key.decrypt(bytes(wrapped), padding.PKCS1v15())
        except ValueError:
            return random
        return unwrapped if len(unwrapped) == length else random

    def decrypt_stream(self, key, iv):
        """A DecryptStream. Raises ValueError if key or iv has a wrong length."""
        return DecryptStream(key, iv)

    def check_records(self, data, start, limit):
        """None, because there is no accelerator here. The caller reads the records in Python."""
        return None


class DigestStream:
    """A running digest. digest() ends it. close() may be called at any time, also twice."""

    def __init__(self, running):
        self._running = running

    def update(self, data):
        """Add bytes (any buffer). Raises ValueError after digest() or close()."""
        if self._running is None:
            raise ValueError("the digest has ended")
        self._running.update(data)

    def digest(self):
        """End the stream and return the digest. Raises ValueError if it has ended already."""
        if self._running is None:
            raise ValueError("the digest has ended")
        result = self._running.digest()
        self._running = None
        return result

    def close(self):
        """Give up the stream."""
        self._running = None


class DecryptStream:
    """An AES-CBC decryption in pieces. The caller removes the padding."""

    def __init__(self, key, iv):
        if len(iv) != 16 or len(key) not in AES_SIZES:
            raise ValueError(f"AES-CBC with a key of {len(key)} and an iv of {len(iv)} bytes")
        self._decryptor = Cipher(AES(bytes(key)), CBC(bytes(iv))).decryptor()

    def update(self, data):
        """Decrypt `data`, a bytearray of a multiple of 16 bytes, in place. Raises ValueError for another length."""
        if len(data) % 16:
            raise ValueError("ciphertext: not whole blocks")
        data[:] = self._decryptor.update(bytes(data))


def _new_hash(algorithm):
    if algorithm not in DIGEST_SIZES:
        raise ValueError(f"unknown digest algorithm {algorithm!r}")
    return hashlib.new(algorithm, usedforsecurity=False)


def _private(der):
    try:
        key = serialization.load_der_private_key(bytes(der), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"private key: {error}") from None
    return key


def _public_der(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _supported_public_key(fields):
    try:
        key = serialization.load_der_public_key(fields.public_key)
    except (UnsupportedAlgorithm, ValueError) as error:
        raise ValueError(f"unsupported key: {error}") from None
    if isinstance(key, rsa.RSAPublicKey):
        if not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
            raise ValueError(f"unsupported key: RSA of {key.key_size} bits")
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise ValueError("unsupported key: neither RSA nor EC on P-256, P-384 or P-521")
    return key
