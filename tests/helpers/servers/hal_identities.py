# SPDX-License-Identifier: MIT
"""Keys with certificates that expired long ago, because the HAL must ignore dates."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


class Identity:
    """A key and its self-signed certificate: `path` of both for ssl, `der`, and the key as `key` (PKCS#1 or SEC 1) and
    `key8` (PKCS#8)."""

    def __init__(self, folder, name, key, algorithm):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        begin = datetime.datetime(2001, 1, 1)
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), 77, begin, begin.replace(year=2002))
        certificate = builder.sign(key, algorithm)
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        plain = serialization.NoEncryption()
        self.key = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, plain)
        self.key8 = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
            + certificate.public_bytes(serialization.Encoding.PEM)
        )


def make_all(folder):
    """One for each kind of key that servers have."""
    return {
        "rsa1024": Identity(folder, "rsa1024", rsa.generate_private_key(65537, 1024), hashes.SHA256()),
        "rsa2048": Identity(folder, "rsa2048", rsa.generate_private_key(65537, 2048), hashes.SHA256()),
        "p256": Identity(folder, "p256", ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
        "p384": Identity(folder, "p384", ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
    }
