# SPDX-License-Identifier: MIT
"""Keys with self-signed certificates for TLS tests, made once a session; as DER for the phone, as PEM for servers."""

import datetime
import functools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

CURVES = {"ec256": ec.SECP256R1, "ec384": ec.SECP384R1, "ec521": ec.SECP521R1, "ec256k1": ec.SECP256K1}


def make_key(kind):
    """A new private key: "rsa2048" (any number of bits), one of CURVES, "ed25519"."""
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind]())
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))


class Identity:
    """certificate and key: DER. pem: both for a server. private: the key object. filler: bytes that make it longer."""

    def __init__(self, private, name, filler=0):
        self.private = private
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(private.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
        )  # fmt: skip
        if filler:
            oid = x509.ObjectIdentifier("1.2.3.4.5")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, bytes(filler)), critical=False)
        digest = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        made = builder.sign(private, digest)
        self.certificate = made.public_bytes(serialization.Encoding.DER)
        self.key = self._key(serialization.Encoding.DER)
        self.pem = made.public_bytes(serialization.Encoding.PEM) + self._key(serialization.Encoding.PEM)

    def _key(self, encoding):
        return self.private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    @property
    def pair(self):
        """(certificate, key), as the HAL is given an identity."""
        return self.certificate, self.key


@functools.cache
def identity(kind, name="server"):
    """The Identity of this kind of key and name; the same each time."""
    return Identity(make_key(kind), f"{name}-{kind}")
