# SPDX-License-Identifier: MIT
"""Signatures for TLS by libphonetrust, checked by `cryptography`: every scheme, digest and kind of key, and what is refused."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from hal.host.with_cryptography import HostCrypto

HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
RSA_PKCS1, RSA_PSS, ECDSA = 1, 2, 3
RSA = {"rsa-1024": 1024, "rsa-2048": 2048, "rsa-2056": 2056, "rsa-4096": 4096}
EC = {"ec-256": ec.SECP256R1(), "ec-384": ec.SECP384R1(), "ec-521": ec.SECP521R1()}
SCHEMES = {RSA_PKCS1: "rsa-pkcs1", RSA_PSS: "rsa-pss", ECDSA: "ecdsa"}


def der(key):
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


@pytest.fixture(scope="module")
def keys():
    made = {name: rsa.generate_private_key(65537, bits) for name, bits in RSA.items()}
    return {**made, **{name: ec.generate_private_key(curve) for name, curve in EC.items()}}


def check(key, scheme, algorithm, digest, signature):
    """InvalidSignature where it does not verify; PSS with exactly the salt that TLS asks for."""
    prehashed = Prehashed(HASHES[algorithm])
    if scheme == ECDSA:
        key.public_key().verify(signature, digest, ec.ECDSA(prehashed))
    elif scheme == RSA_PKCS1:
        key.public_key().verify(signature, digest, padding.PKCS1v15(), prehashed)
    else:
        pss = padding.PSS(padding.MGF1(HASHES[algorithm]), len(digest))
        key.public_key().verify(signature, digest, pss, prehashed)


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize(("name", "scheme"), [(n, s) for n in RSA for s in (1, 2)] + [(n, 3) for n in EC])
def test_cryptography_verifies_what_is_signed(library, keys, name, scheme, algorithm):
    digest = hashlib.new(algorithm, b"a handshake").digest()
    if (name, scheme, algorithm) == ("rsa-1024", RSA_PSS, "sha512"):  # 64 + 64 + 2 bytes do not fit into 128
        assert library.sign_tls(der(keys[name]), scheme, algorithm, digest) == "key"
        return
    signature = library.sign_tls(der(keys[name]), scheme, algorithm, digest)
    check(keys[name], scheme, algorithm, digest, signature)
    with pytest.raises(InvalidSignature):
        check(keys[name], scheme, algorithm, digest[::-1], signature)


@pytest.mark.parametrize("algorithm", HASHES)
def test_the_package_cryptography_signs_alike(library, keys, algorithm):
    digest = hashlib.new(algorithm, b"a handshake").digest()
    for name, scheme in (("rsa-2048", RSA_PKCS1), ("rsa-2048", RSA_PSS), ("ec-256", ECDSA)):
        signature = HostCrypto().sign_tls(der(keys[name]), SCHEMES[scheme], algorithm, digest)
        check(keys[name], scheme, algorithm, digest, signature)
        if scheme == RSA_PKCS1:  # nothing is random in it
            assert signature == library.sign_tls(der(keys[name]), scheme, algorithm, digest)


@pytest.mark.parametrize("scheme", [RSA_PKCS1, RSA_PSS, ECDSA])
def test_nothing_but_a_digest_of_its_size_is_signed(library, keys, scheme):
    key = der(keys["ec-256" if scheme == ECDSA else "rsa-2048"])
    for length in (0, 1, 20, 31, 33, 48, 51, 64, 255, 256, 257):
        assert library.sign_tls(key, scheme, "sha256", bytes(length)) == "argument", length
    assert library.sign_tls(key, scheme, "sha1", bytes(20)) == "unsupported"
    assert library.sign_tls(key, scheme, "sha256", bytes(32), 8) == "space"


def test_the_key_is_of_the_schemes_kind(library, keys):
    assert library.sign_tls(der(keys["rsa-2048"]), ECDSA, "sha256", bytes(32)) == "key"
    for scheme in (RSA_PKCS1, RSA_PSS):
        assert library.sign_tls(der(keys["ec-256"]), scheme, "sha256", bytes(32)) == "key"
        assert library.sign_tls(b"no key", scheme, "sha256", bytes(32)) == "key"
    for scheme in (0, 4, -1):
        assert library.sign_tls(der(keys["rsa-2048"]), scheme, "sha256", bytes(32)) == "unsupported"
