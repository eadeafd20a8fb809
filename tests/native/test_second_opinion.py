# SPDX-License-Identifier: MIT
"""libphonetrust against `cryptography`: certificates of many shapes, signatures both ways, keys, wrapped keys."""

import datetime
import hashlib
import os

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.host.with_cryptography import HostCrypto
from tests.helpers.native.library import ROOT

HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
CURVES = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
KEYS = {
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-2056-exponent-3": lambda: rsa.generate_private_key(3, 2056),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "ec-256": lambda: ec.generate_private_key(CURVES[256]),
    "ec-384": lambda: ec.generate_private_key(CURVES[384]),
    "ec-521": lambda: ec.generate_private_key(CURVES[521]),
}
DAY = datetime.datetime(2026, 1, 1)
UNTIL = DAY.replace(year=2045)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "phone")])


def certificate(key, name=NAME, serial=0x80FF, until=UNTIL):
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateBuilder(name, NAME, key.public_key(), serial, DAY, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


def private_der(key, form=serialization.PrivateFormat.PKCS8):
    return key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


def signed(key, algorithm, digest):
    prehashed = utils.Prehashed(HASHES[algorithm])
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(digest, padding.PKCS1v15(), prehashed)
    return key.sign(digest, ec.ECDSA(prehashed))


def verifies(public, algorithm, digest, signature):
    prehashed = utils.Prehashed(HASHES[algorithm])
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, digest, padding.PKCS1v15(), prehashed)
        else:
            public.verify(signature, digest, ec.ECDSA(prehashed))
    except InvalidSignature:
        return False
    return True


@pytest.fixture(scope="module")
def keys():
    """Each key made once, when first asked for."""
    made = {}

    def key(name):
        if name not in made:
            made[name] = KEYS[name]()
        return made[name]

    return key


def same_fields(library, der):
    ours, theirs = library.certificate(der), HostCrypto().certificate(der)
    for name in ("issuer", "subject", "serial", "public_key", "record_key", "signature", "key_kind", "key_bits"):
        assert ours[name] == getattr(theirs, name), name
    return ours


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("name", KEYS)
def test_verifies_what_cryptography_signs(library, keys, name, algorithm):
    key = keys(name)
    der = certificate(key)
    digest = hashlib.new(algorithm, b"body").digest()
    signature = signed(key, algorithm, digest)
    assert library.verify(der, algorithm, digest, signature) == "ok"
    other = hashlib.new(algorithm, b"another body").digest()
    assert library.verify(der, algorithm, other, signature) == "signature"
    for damaged in (signature[:-1], signature + b"\0", bytes([signature[0] ^ 0x40]) + signature[1:], b""):
        assert library.verify(der, algorithm, digest, damaged) == "signature"


@pytest.mark.parametrize("name", KEYS)
def test_certificate_fields_of_each_kind_of_key(library, keys, name):
    ours = same_fields(library, certificate(keys(name)))
    kind, bits = name.split("-")[:2]
    assert (ours["key_kind"], ours["key_bits"]) == (kind, int(bits))


def test_certificate_with_another_kind_of_key(library):
    key = ed25519.Ed25519PrivateKey.generate()
    der = certificate(key)
    assert same_fields(library, der)["key_kind"] == "other"
    assert library.verify(der, "sha512", bytes(64), bytes(64)) == "unsupported"
    koblitz = ec.generate_private_key(ec.SECP256K1())
    assert same_fields(library, certificate(koblitz))["key_kind"] == "other"
    assert library.verify(certificate(koblitz), "sha256", bytes(32), bytes(64)) == "unsupported"


def test_dates_on_both_sides_of_2050(library, keys):
    ours = library.certificate(certificate(keys("ec-256"), until=DAY.replace(year=2049)))
    assert (ours["not_before"], ours["not_after"]) == (b"260101000000Z", b"490101000000Z")
    ours = library.certificate(certificate(keys("ec-256"), until=DAY.replace(year=2050)))
    assert ours["not_after"] == b"20500101000000Z"


text = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=20)
# Types that are written as UTF8String: of PrintableString, `cryptography` refuses letters that are in wide use.
attribute = st.sampled_from((
    NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.LOCALITY_NAME,
))  # fmt: skip


@settings(max_examples=60)
@given(
    attributes=st.lists(st.builds(lambda kind, value: x509.NameAttribute(kind, value), attribute, text), max_size=20),
    serial=st.integers(1, (1 << 159) - 1),
)
def test_certificate_fields_of_any_name_and_serial(library, keys, attributes, serial):
    ours = same_fields(library, certificate(keys("ec-256"), x509.Name(attributes), serial))
    assert int.from_bytes(ours["serial"], "big") == serial
    assert ours["serial"][0] != 0


@pytest.mark.parametrize("kind, bits", [("rsa", 1024), ("rsa", 2048), ("ec", 256), ("ec", 384), ("ec", 521)])
def test_made_keys_are_read_by_cryptography(library, kind, bits):
    der = library.make_key(kind, bits)
    key = serialization.load_der_private_key(der, None)
    assert key.key_size == bits
    public = key.public_key()
    info = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert library.public_key(der) == info
    assert library.certificate(certificate(key))["public_key"] == info
    assert library.make_key(kind, bits) != der
    for algorithm in HASHES:
        digest = hashlib.new(algorithm, b"body").digest()
        signature = library.sign(der, algorithm, digest)
        assert verifies(public, algorithm, digest, signature)
        assert not verifies(public, algorithm, hashlib.new(algorithm, b"other").digest(), signature)


@pytest.mark.parametrize("name", ["rsa-2048", "ec-256", "ec-521"])
@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_private_keys_of_both_forms_sign(library, keys, name, form):
    der = private_der(keys(name), getattr(serialization.PrivateFormat, form))
    digest = hashlib.sha512(b"body").digest()
    assert verifies(keys(name).public_key(), "sha512", digest, library.sign(der, "sha512", digest))


@pytest.mark.parametrize("name", ["rsa-1024", "rsa-2048", "rsa-4096"])
@pytest.mark.parametrize("size", [20, 64])
def test_bare_digest_under_type_1_padding(library, keys, name, size):
    """docs/spec/capf.md, C5: the bare digest, no DigestInfo. RFC 8017, 9.2: 00 01 FF ... FF 00."""
    key, digest = keys(name), os.urandom(size)
    signature = library.sign(private_der(key), None, digest)
    numbers = key.public_key().public_numbers()
    length = key.key_size // 8
    opened = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(length, "big")
    assert opened == b"\0\1" + b"\xff" * (length - 3 - size) + b"\0" + digest


def test_bare_digest_with_an_ec_key_is_ecdsa(library, keys):
    digest = hashlib.sha1(b"body").digest()
    signature = library.sign(private_der(keys("ec-384")), None, digest)
    assert verifies(keys("ec-384").public_key(), "sha1", digest, signature)


@pytest.mark.parametrize("name", ["rsa-1024", "rsa-2048", "rsa-2056-exponent-3", "rsa-4096"])
@pytest.mark.parametrize("length", [16, 24, 32])
def test_wrapped_keys_are_unwrapped(library, keys, name, length):
    key, aes = keys(name), os.urandom(length)
    wrapped = key.public_key().encrypt(aes, padding.PKCS1v15())
    assert library.unwrap_key(private_der(key), wrapped, length) == aes


def test_wrong_keys_and_lengths_give_other_bytes_and_no_error(library, keys):
    key, aes = keys("rsa-2048"), os.urandom(16)
    wrapped = key.public_key().encrypt(aes, padding.PKCS1v15())
    stranger = rsa.generate_private_key(65537, 2048)
    for found in (
        library.unwrap_key(private_der(stranger), wrapped, 16),
        library.unwrap_key(private_der(key), wrapped, 32)[:16],
        library.unwrap_key(private_der(key), wrapped[:-1] + bytes([wrapped[-1] ^ 1]), 16),
        library.unwrap_key(private_der(key), key.public_key().encrypt(bytes(100), padding.PKCS1v15()), 16),
    ):
        assert isinstance(found, bytes) and found != aes
    # Wrong only in its block type, all else where it should be: no zeros and no two alike come out either.
    numbers = key.public_key().public_numbers()
    block = b"\0\1" + b"\x55" * (256 - 3 - 16) + b"\0" + aes
    wrong_type = pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(256, "big")
    found = {library.unwrap_key(private_der(key), wrong_type, 16) for _ in range(3)}
    assert len(found) == 3 and not found & {aes, bytes(16)}
    assert library.unwrap_key(private_der(key), wrapped[1:], 16) == "decrypt"
    assert library.unwrap_key(private_der(keys("ec-256")), wrapped, 16) == "key"
    assert library.unwrap_key(b"no key", wrapped, 16) == "key"


@pytest.mark.parametrize("length", [16, 24, 32])
@pytest.mark.parametrize("piece", [16, 48, 4096])
def test_decryption_in_pieces(library, length, piece):
    key, iv, plain = os.urandom(length), os.urandom(16), os.urandom(1600)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    data = encryptor.update(plain) + encryptor.finalize()
    assert library.decrypt(key, iv, data, piece) == plain


def test_vectors_verify_in_both(library):
    """Every certificate of the vectors: same fields, and a self-signed one verifies itself in both."""
    own = 0
    for path in sorted((ROOT / "tests" / "vectors").glob("*.cert.pem")):
        loaded = x509.load_pem_x509_certificate(path.read_bytes())
        der = loaded.public_bytes(serialization.Encoding.DER)
        ours = same_fields(library, der)
        algorithm = loaded.signature_hash_algorithm.name
        digest = hashlib.new(algorithm, loaded.tbs_certificate_bytes).digest()
        both = library.verify(der, algorithm, digest, ours["signature"]) == "ok"
        assert both == HostCrypto().verify(der, algorithm, digest, ours["signature"])
        own += both
    assert own >= 10
