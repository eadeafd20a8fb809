# SPDX-License-Identifier: MIT
"""The phone's own key, on both Pythons: made, used to sign, to unwrap, to decrypt; and what it must not be used for."""

import binascii
import hashlib

from agent.formats.header import Header
from tests.helpers.agent.both import crypto, raises, vector
from tests.helpers.agent.rsa import opened, padded

TIMEOUT = 300  # an RSA key made under emulation takes its time
# DER of DigestInfo for SHA-256 (RFC 8017, 9.2, note 1): in front of a digest it makes a bare signature a usual one.
SHA256_INFO = binascii.unhexlify("3031300d060960864801650304020105000420")
ENCRYPTED = "SEP00270DC01C92.cnf.xml.enc.sgn"
PLAIN = "SEP00270DC01C92.cnf.xml"
SHA512_OF_PLAIN = (  # from sha512sum
    "3d36012502b68397c5a1a1f7d4ed10a038d134d4636c9e4a8773a98e5bf0b734"
    "0f4548c09910df2414401538bdcb864a3116123f98d8c09f589a34f2be247923"
)


def pem(text, kind):
    """DER of the first block of a kind in PEM text."""
    body = text.split("-----BEGIN %s-----" % kind)[1].split("-----END")[0]
    return binascii.a2b_base64("".join(body.split()).encode())


def own_key():
    """The vectors' phone: (private key DER, certificate DER)."""
    text = vector("lsc.pem").decode()
    kind = "RSA PRIVATE KEY" if "RSA PRIVATE KEY" in text else "PRIVATE KEY"
    return pem(text, kind), pem(vector("lsc.cert.pem").decode(), "CERTIFICATE")


def decrypted(private_key, pieces):
    """Plaintext of the encrypted vector with its padding, decrypted in pieces of so many bytes; and its header."""
    data = vector(ENCRYPTED)
    header = Header(data)
    key = crypto().unwrap_key(private_key, header.encryption.key, 16)
    stream = crypto().decrypt_stream(key, header.encryption.iv)
    plain = bytearray(data[header.length :])
    for start in range(0, len(plain), pieces):
        part = bytearray(plain[start : start + pieces])
        stream.update(part)
        plain[start : start + pieces] = part
    return plain, header


def test_the_public_half_is_the_certificates():
    private_key, certificate = own_key()
    assert crypto().public_key(private_key) == crypto().certificate(certificate).public_key


def test_a_bare_signature_is_the_digest_under_type_1_padding():
    private_key, certificate = own_key()
    digest = hashlib.sha256(b"what is proven").digest()
    signature = crypto().sign(private_key, "rsa-bare", SHA256_INFO + digest)
    assert opened(certificate, signature) == padded(SHA256_INFO + digest)
    assert crypto().verify(certificate, "sha256", digest, signature)
    bare = crypto().sign(private_key, "rsa-bare", digest)
    assert opened(certificate, bare) == padded(digest) and bare == crypto().sign(private_key, "rsa-bare", digest)
    assert not crypto().verify(certificate, "sha256", digest, bare)


def test_keys_are_made_and_sign():
    for kind, bits in (("ec", 256), ("ec", 384), ("ec", 521), ("rsa", 1024)):
        private_key, public_key = crypto().make_key(kind, bits)
        assert private_key != crypto().make_key("ec", 256)[0]
        assert crypto().public_key(private_key) == public_key and public_key[0] == 0x30
        scheme, other = ("ecdsa", "rsa-bare") if kind == "ec" else ("rsa-bare", "ecdsa")
        for algorithm in ("sha1", "sha512"):
            assert len(crypto().sign(private_key, scheme, crypto().digest(algorithm, b"x"))) > 60
        raises(ValueError, crypto().sign, private_key, other, bytes(32))


def test_keys_that_are_not_made():
    for kind, bits in (("rsa", 512), ("rsa", 8192), ("rsa", 2047), ("ec", 255), ("ec", 0), ("dsa", 1024), ("other", 0)):
        raises(ValueError, crypto().make_key, kind, bits)


def test_what_is_no_key_is_refused():
    private_key, certificate = own_key()
    for wrong in (b"", b"garbage", certificate, private_key[:-1], private_key[:50]):
        raises(ValueError, crypto().public_key, wrong)
        raises(ValueError, crypto().sign, wrong, "rsa-bare", bytes(20))
        raises(ValueError, crypto().unwrap_key, wrong, bytes(256), 16)
    raises(ValueError, crypto().sign, private_key, "rsa-bare", b"")
    raises(ValueError, crypto().sign, private_key, "rsa-bare", bytes(65))
    raises(ValueError, crypto().sign, private_key, "rsa", bytes(32))
    raises(ValueError, crypto().sign, crypto().make_key("ec", 256)[0], "ecdsa", bytes(21))


def test_a_tls_signature_by_each_scheme():
    private_key, certificate = own_key()
    for algorithm in ("sha256", "sha384", "sha512"):
        digest = crypto().digest(algorithm, b"a handshake")
        signature = crypto().sign_tls(private_key, "rsa-pkcs1", algorithm, digest)
        assert opened(certificate, signature)[-len(digest) :] == digest
        assert crypto().verify(certificate, algorithm, digest, signature)
        salted = crypto().sign_tls(private_key, "rsa-pss", algorithm, digest)
        assert len(salted) == 256 and salted != crypto().sign_tls(private_key, "rsa-pss", algorithm, digest)
        assert opened(certificate, salted)[-1] == 0xBC
        assert not crypto().verify(certificate, algorithm, digest, salted)
        assert crypto().sign_tls(crypto().make_key("ec", 256)[0], "ecdsa", algorithm, digest)[0] == 0x30


def test_a_tls_signature_is_made_of_nothing_but_a_digest():
    private_key, certificate = own_key()
    ec_key = crypto().make_key("ec", 256)[0]
    sign_tls = crypto().sign_tls
    for scheme in ("rsa-pkcs1", "rsa-pss"):
        # The whole modulus, a DigestInfo, a digest of another size: what a decryption would be made of.
        for wrong in (b"", bytes(31), bytes(33), bytes(48), bytes(256), SHA256_INFO + bytes(32)):
            raises(ValueError, sign_tls, private_key, scheme, "sha256", wrong)
        raises(ValueError, sign_tls, private_key, scheme, "sha1", bytes(20))
        raises(ValueError, sign_tls, private_key, scheme, "md5", bytes(16))
        raises(ValueError, sign_tls, ec_key, scheme, "sha256", bytes(32))
        raises(ValueError, sign_tls, certificate, scheme, "sha256", bytes(32))
    raises(ValueError, sign_tls, private_key, "ecdsa", "sha256", bytes(32))
    raises(ValueError, sign_tls, ec_key, "ecdsa", "sha256", bytes(20))
    for scheme in ("rsa-bare", "rsa", "", None):
        raises(ValueError, sign_tls, private_key, scheme, "sha256", bytes(32))


def test_the_encrypted_vector_decrypts_in_pieces_of_any_size():
    for pieces in (16, 64, 1 << 20):
        plain, header = decrypted(own_key()[0], pieces)
        text = plain[: len(plain) - header.encryption.padding]
        assert text == vector(PLAIN) and header.encryption.digest_algorithm == "sha512"
        assert binascii.hexlify(header.encryption.digest).decode() == SHA512_OF_PLAIN


def test_a_wrong_key_and_a_wrong_padding_look_the_same():
    private_key, _ = own_key()
    stranger, _ = crypto().make_key("rsa", 2048)
    wrapped = Header(vector(ENCRYPTED)).encryption.key
    bent = bytearray(wrapped)
    bent[100] ^= 1
    for key, blob in ((stranger, wrapped), (private_key, bent), (private_key, bytes(256))):
        found = crypto().unwrap_key(key, blob, 16)
        assert len(found) == 16 and found != crypto().unwrap_key(private_key, wrapped, 16)
    # A wrapped key of another length is no error either.
    assert len(crypto().unwrap_key(private_key, wrapped, 32)) == 32


def test_lengths_that_cannot_be_are_mistakes():
    private_key, _ = own_key()
    raises(ValueError, crypto().unwrap_key, private_key, bytes(255), 16)
    raises(ValueError, crypto().unwrap_key, private_key, bytes(256), 15)
    raises(ValueError, crypto().unwrap_key, crypto().make_key("ec", 256)[0], bytes(256), 16)
    raises(ValueError, crypto().decrypt_stream, bytes(15), bytes(16))
    raises(ValueError, crypto().decrypt_stream, bytes(16), bytes(15))
    raises(ValueError, crypto().decrypt_stream(bytes(16), bytes(16)).update, bytearray(15))
