# SPDX-License-Identifier: MIT
"""Keys and certificates as a cluster makes them, self-signed or issued by a third-party CA."""

import datetime
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from host_tools.lab.errors import LabError

CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
CURVE_DIGESTS = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}


@dataclass(frozen=True)
class Identity:
    """A certificate, with its private key where the cluster owns it (None: a foreign certificate, only trusted)."""

    certificate: x509.Certificate
    key: Any = None

    @property
    def der(self):
        """The certificate as DER bytes."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def pem(self):
        """Certificate, then key (unencrypted PKCS#8) if there is one, as PEM bytes."""
        text = self.certificate.public_bytes(serialization.Encoding.PEM)
        if self.key is not None:
            text += key_pem(self.key)
        return text

    @classmethod
    def from_pem(cls, text, own=False):
        """Read the text of :meth:`pem`. LabError when it is something else.

        `own`: this is the lab's own file, so the primes of RSA keys are not checked (0.1 s for each key).
        """
        try:
            certificate = x509.load_pem_x509_certificate(text)
            key = None
            if b"PRIVATE KEY" in text:
                key = serialization.load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=own)
        except (ValueError, TypeError) as error:
            raise LabError(f"not a certificate (with key) in PEM: {error}") from error
        return cls(certificate, key)


def key_pem(key):
    """A private key as unencrypted PKCS#8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class KeyMaker:
    """Makes new private keys. Tests use another KeyMaker, which takes RSA keys from a pool, because they are slow to make."""

    def rsa(self, bits=2048):
        """A new RSA key of `bits` bits, public exponent 65537."""
        return rsa.generate_private_key(65537, bits)

    def ec(self, curve="P-384"):
        """A new EC key on one of CURVES."""
        return ec.generate_private_key(CURVES[curve]())


def subject(common_name, unit="Voice", organization="Lab", locality="Berlin", state="Berlin", country="DE"):
    """A subject name with the attributes, and in the order, that a cluster's certificates have."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.LOCALITY_NAME, locality),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, state),
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
        ]
    )


def signing_digest(key):
    """The digest with which a key signs certificates: SHA-256 for RSA, the curve's own size for EC."""
    return CURVE_DIGESTS[key.curve.key_size]() if isinstance(key, ec.EllipticCurvePrivateKey) else hashes.SHA256()


def make_certificate(name, public_key, issuer=None, key=None, *, authority=False, alternatives=(), days=1825):
    """A certificate for `public_key`; self-signed with `key` where `issuer` (an Identity) is None.

    Valid from a day ago (clocks differ) for `days` days; five years is what clusters give. Serial numbers are
    random and may have their top bit set, as real ones do.
    """
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    signing_key = key if issuer is None else issuer.key
    if signing_key is None:
        raise LabError("the issuer's private key is not here, so it cannot sign")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.certificate.subject)
        .public_key(public_key)
        .serial_number(int.from_bytes(secrets.token_bytes(16), "big") or 1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=authority)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(_usage(authority), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )
    if alternatives:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in alternatives]), critical=False
        )
    return builder.sign(signing_key, signing_digest(signing_key))


def make_identity(common_name, key, issuer=None, **options):
    """An Identity for `key`: named by :func:`subject`, signed by `issuer` or by itself."""
    certificate = make_certificate(subject(common_name), key.public_key(), issuer, key, **options)
    return Identity(certificate, key)


def _usage(authority):
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=True,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
