# SPDX-License-Identifier: MIT
"""The bytes of CAPF as its server sees them (docs/spec/capf.md, 'Messages'), and the checks of a phone's proofs. No I/O.

It shares no code with agent/servers/capf/message.py on purpose: two independent readings of the protocol test each other.
"""

import struct

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from host_tools.lab.servers.elements import BadMessage, elements_of
from host_tools.lab.writers.files import tlv

PROTOCOL = 0x55
VERSION = 3
AUTH_REQ, AUTH_RES, KEYGEN_REQ, KEYGEN_RES, STORE_REQ, STORE_RES = 1, 2, 3, 4, 9, 10
FETCH_REQ, FETCH_RES, DELETE_REQ, DELETE_RES, END, IN_PROGRESS = 11, 12, 13, 14, 15, 17
REASON, CERTIFICATE, SIGNED_DATA, VERSION_ELEMENT, AUTHENTICATION_TYPE = 1, 4, 6, 7, 8
PUBLIC_KEY, KEY_SIZE, PASSWORD, RETRY_DELAY, DEVICE_NAME, SUDI_DATA = 9, 10, 11, 12, 13, 16
KEY_TYPE, CURVE, SHA2_SIGNED_DATA = 17, 18, 20
NO_ACTION, UPDATED, INVALID_ELEMENT, UNKNOWN_DEVICE = 0, 1, 7, 9
LSC, MIC = 1, 2
CURVES = {"ec-256": (0, ec.SECP256R1), "ec-384": (1, ec.SECP384R1), "ec-521": (2, ec.SECP521R1)}
LARGEST = 16384


def encode(command, session, *elements):
    """A message; `elements` are (tag, value) pairs."""
    body = b"".join(tlv(tag, value) for tag, value in elements)
    return struct.pack(">BBIH", PROTOCOL, command, session, len(body)) + body


def text(elements, tag):
    """A text element without its NUL; BadMessage when it is missing or not text."""
    value = elements.get(tag, b"")
    if not value.endswith(b"\0") or b"\0" in value[:-1]:
        raise BadMessage(f"element {tag} is not text ending in NUL")
    return value[:-1].decode("utf-8", "replace")


def reason(elements):
    """The REASON, a number. BadMessage where it is missing."""
    value = elements.get(REASON, b"")
    if len(value) != 1:
        raise BadMessage("the answer has no REASON")
    return value[0]


def certificate_value(kind, der):
    """The CERTIFICATE element's value: 01, length of the rest, 00, kind, DER."""
    return tlv(1, bytes([0, kind]) + der)


def certificate_of(elements):
    """(kind, x509 certificate) of the CERTIFICATE element. BadMessage when it is missing or unreadable."""
    value = elements.get(CERTIFICATE, b"")
    if len(value) < 6 or value[0] != 1 or struct.unpack_from(">H", value, 1)[0] != len(value) - 3 or value[3] != 0:
        raise BadMessage("CERTIFICATE is missing or malformed")
    try:
        return value[4], x509.load_der_x509_certificate(value[5:])
    except ValueError as error:
        raise BadMessage("the certificate in CERTIFICATE cannot be read") from error


def public_key_of(elements, wanted):
    """The PUBLICKEY, which must be of the kind `wanted`, such as "rsa-2048" or "ec-256". BadMessage otherwise."""
    try:
        key = serialization.load_der_public_key(elements[PUBLIC_KEY])
    except (KeyError, ValueError) as error:
        raise BadMessage("PUBLICKEY is missing or cannot be read") from error
    made = (
        "rsa" if isinstance(key, rsa.RSAPublicKey) else "ec" if isinstance(key, ec.EllipticCurvePublicKey) else "other"
    )
    if f"{made}-{getattr(key, 'key_size', 0)}" != wanted:
        raise BadMessage(f"the phone made a key of another kind than {wanted}")
    return key


def key_request(wanted):
    """The elements of KEYGEN_REQ for a kind of key such as "rsa-2048" or "ec-256"."""
    if wanted in CURVES:
        return (KEY_TYPE, b"\1"), (CURVE, bytes([CURVES[wanted][0]]))
    return (KEY_TYPE, b"\0"), (KEY_SIZE, struct.pack(">H", int(wanted.partition("-")[2])))


def check_proof(elements, session):
    """Check that the phone has the key of the certificate in AUTH_RES. Returns (kind, certificate); else BadMessage.

    The signature covers DEVICENAME with its NUL, then the DER; once with SHA-1 and once with SHA-512. SUDIDATA, which proves the
    MIC over the session number in little-endian order and its DER, is checked where the phone sends it.
    """
    kind, certificate = certificate_of(elements)
    der = certificate.public_bytes(serialization.Encoding.DER)
    text(elements, DEVICE_NAME)
    signed = elements[DEVICE_NAME] + der
    sha2 = elements.get(SHA2_SIGNED_DATA, b"")
    if len(sha2) < 4 or sha2[0] != 3 or struct.unpack_from(">H", sha2, 1)[0] != len(sha2) - 3:
        raise BadMessage("SHA2SIGNEDDATA is missing or malformed")
    _check(certificate, hashes.SHA1(), signed, elements.get(SIGNED_DATA, b""))
    _check(certificate, hashes.SHA512(), signed, sha2[3:])
    if SUDI_DATA in elements:
        _check_sudi(elements[SUDI_DATA], session)
    return kind, certificate


def _check_sudi(value, session):
    """SUDIDATA: parts 0 (certificate), 1 (SHA-1 signature), 3 (SHA-512 signature) [inferred from the other elements]."""
    parts = elements_of(value)
    try:
        certificate = x509.load_der_x509_certificate(parts[0])
        signed = struct.pack("<I", session) + parts[0]
        _check(certificate, hashes.SHA1(), signed, parts[1])
        _check(certificate, hashes.SHA512(), signed, parts[3])
    except (KeyError, ValueError) as error:
        raise BadMessage("SUDIDATA is malformed") from error


def _check(certificate, algorithm, data, signature):
    """RSA: the bare digest under PKCS#1 type 1 padding, without a DigestInfo; EC: ECDSA. BadMessage if it does not fit."""
    digest = hashes.Hash(algorithm)
    digest.update(data)
    expected = digest.finalize()
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, expected, ec.ECDSA(utils.Prehashed(algorithm)))
            return
        if isinstance(key, rsa.RSAPublicKey):
            if key.recover_data_from_signature(signature, padding.PKCS1v15(), None) == expected:
                return
    except InvalidSignature:
        pass
    raise BadMessage(f"the {algorithm.name.upper()} signature does not prove the phone's key")
