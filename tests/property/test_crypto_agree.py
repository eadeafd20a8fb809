# SPDX-License-Identifier: MIT
"""libphonetrust and `cryptography` say the same of every certificate and signature: each is the other's second opinion."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from hypothesis import given
from hypothesis import strategies as st

from agent.formats import tlv
from agent.formats.header import Header
from hal.host import crypto

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
FIELDS = (
    "issuer",
    "subject",
    "serial",
    "public_key",
    "record_key",
    "key_kind",
    "key_bits",
    "signature",
    "signature_algorithm",
    "not_before",
    "not_after",
)
CERTIFICATE = 9  # the record tag
ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")


@pytest.fixture(scope="module")
def native():
    """libphonetrust; the test fails where the library is not built."""
    return crypto("native")


@pytest.fixture(scope="module")
def second():
    """The second opinion."""
    return crypto("cryptography")


def der_of(path):
    text = path.read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    return base64.b64decode(text)


def trust_lists():
    return sorted(path for path in VECTORS.glob("*.tlv") if not path.name.startswith("bad-"))


def certificates():
    """Every certificate of the vectors: files, and certificates in trust lists."""
    found = {path.name: der_of(path) for path in VECTORS.glob("*.cert.pem")}
    for path in trust_lists():
        data = path.read_bytes()
        for tag, offset, length in tlv.record_tlvs(data, Header(data).length):
            if tag == CERTIFICATE and length:
                found[f"{path.name}@{offset}"] = data[offset : offset + length]
    return found


CERTIFICATES = certificates()
BASES = sorted(set(CERTIFICATES.values()))


def fields(crypto_part, der):
    """All fields, or None where it is unreadable."""
    try:
        found = crypto_part.certificate(der)
    except ValueError:
        return None
    return {name: getattr(found, name) for name in FIELDS}


def verdict(crypto_part, *arguments):
    """True, False, or None for a ValueError."""
    try:
        return crypto_part.verify(*arguments)
    except ValueError:
        return None


def test_the_vectors_have_certificates():
    assert len(CERTIFICATES) > 60 and len(BASES) >= 15


def test_all_certificates_have_the_same_fields(native, second):
    for name, der in CERTIFICATES.items():
        found = fields(native, der)
        assert found is not None, name
        assert found == fields(second, der), name


def test_all_files_verify_alike_with_every_certificate(native, second):
    verified = 0
    for path in [*trust_lists(), *sorted(VECTORS.glob("*.sgn"))]:
        data = path.read_bytes()
        header = Header(data)
        digest = native.digest(header.digest_algorithm, data, header.signature_cut)
        assert digest == second.digest(header.digest_algorithm, data, header.signature_cut)
        for der in BASES:
            answer = verdict(native, der, header.digest_algorithm, digest, header.signature)
            assert answer == verdict(second, der, header.digest_algorithm, digest, header.signature)
            verified += bool(answer)
    assert verified >= 15


@given(st.sampled_from(BASES), st.data())
def test_damaged_certificates_are_read_alike_or_not_at_all(native, second, der, data):
    """The library ignores extensions, so it may read more certificates; fields that both read are the same."""
    damaged = bytearray(der)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    mine, other = fields(native, bytes(damaged)), fields(second, bytes(damaged))
    assert mine is None or other is None or mine == other


@given(st.sampled_from(BASES), st.data())
def test_a_cut_certificate_is_read_by_neither(native, second, der, data):
    cut = der[: data.draw(st.integers(0, len(der) - 1))]
    assert fields(native, cut) is None and fields(second, cut) is None
    longer = der + data.draw(st.binary(min_size=1, max_size=4))
    assert fields(native, longer) is None and fields(second, longer) is None


@given(st.sampled_from(ALGORITHMS), st.binary(max_size=300), st.data())
def test_digests_are_the_same(native, second, algorithm, content, data):
    offset = data.draw(st.integers(0, len(content)))
    cut = (offset, data.draw(st.integers(0, len(content) - offset)))
    assert native.digest(algorithm, content, cut) == second.digest(algorithm, content, cut)


@pytest.mark.parametrize(("kind", "bits"), [("rsa", 1024), ("rsa", 2048), ("ec", 256), ("ec", 384), ("ec", 521)])
def test_keys_and_signatures_of_each_are_good_for_the_other(native, second, kind, bits):
    for maker, other in ((native, second), (second, native)):
        private_key, public_key = maker.make_key(kind, bits)
        assert other.public_key(private_key) == public_key
        loaded = serialization.load_der_public_key(public_key)
        assert loaded.key_size == bits
        digest = maker.digest("sha512", b"proof")
        for signer in (native, second):
            if isinstance(loaded, rsa.RSAPublicKey):
                signature = signer.sign(private_key, "rsa-bare", digest)
                assert loaded.recover_data_from_signature(signature, padding.PKCS1v15(), NoDigestInfo()) == digest
            else:
                signature = signer.sign(private_key, "ecdsa", digest)
                loaded.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA512())))


def test_each_unwraps_and_decrypts_what_was_encrypted_elsewhere(native, second):
    private_key, public_key = native.make_key("rsa", 1024)
    loaded = serialization.load_der_public_key(public_key)
    for size in (16, 24, 32):
        key = bytes(range(size))
        wrapped = loaded.encrypt(key, padding.PKCS1v15())
        assert native.unwrap_key(private_key, wrapped, size) == second.unwrap_key(private_key, wrapped, size) == key
        first, other = bytearray(b"sixteen bytes..." * 4), bytearray(b"sixteen bytes..." * 4)
        native.decrypt_stream(key, bytes(16)).update(first)
        second.decrypt_stream(key, bytes(16)).update(other)
        assert first == other
