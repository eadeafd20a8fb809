# SPDX-License-Identifier: MIT
"""Writer of encrypted configuration files, `.cnf.xml.enc.sgn`, byte for byte as in docs/spec/formats.md."""

import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from host_tools.lab.errors import LabError
from host_tools.lab.writers import files

BLOCK = 16
KEY_ALGORITHM_RSA = b"\x01"  # [seen]
UNKNOWN_VALUE = b"\x00"  # of tags 18 and 22 [seen]
PAD = b"\x0d"  # [seen]; any byte would do, because CIPHERPADDING has the count


def can_encrypt_to(certificate):
    """True for certificates with RSA keys: only RSA can wrap the AES key."""
    return isinstance(certificate.public_key(), rsa.RSAPublicKey)


def encrypted_file(file_name, plain, recipient, signer, timestamp, digest="sha512"):
    """An encrypted and signed file: `plain` for the phone whose certificate is `recipient` (x509 object, RSA key).

    `signer`, `timestamp` and `digest` as in files.signed_file(). Key (AES-128) and IV are new each time.
    """
    if not can_encrypt_to(recipient):
        raise LabError("configuration can be encrypted to phone certificates with RSA keys only")
    key, vector = os.urandom(16), os.urandom(BLOCK)
    padded = -len(plain) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    body = encryptor.update(plain + PAD * padded) + encryptor.finalize()
    digest_code, digest_class = files.DIGESTS[digest]
    plain_digest = hashes.Hash(digest_class())
    plain_digest.update(plain)
    wrapped = recipient.public_key().encrypt(key, padding.PKCS1v15())
    vector_info = files.tlv(18, UNKNOWN_VALUE) + files.tlv(19, vector) + files.tlv(20, struct.pack(">H", padded))
    key_info = (
        files.tlv(22, UNKNOWN_VALUE)
        + files.tlv(23, struct.pack(">H", len(wrapped) * 8))
        + files.tlv(24, KEY_ALGORITHM_RSA)
        + files.tlv(25, wrapped)
    )
    extra = (
        files.tlv(16, files.tlv(17, vector_info) + files.tlv(21, key_info))
        + files.tlv(26, bytes([digest_code]))
        + files.tlv(27, plain_digest.finalize())
    )
    return files.signed(file_name, body, signer, timestamp, digest, version=b"\x02\x00", extra=extra)
