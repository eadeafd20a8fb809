# SPDX-License-Identifier: MIT
"""The first program that comes to mind for verifying a trust list on a PC: struct for the TLVs, `cryptography` for the rest.

It is the benchmark's other side and shares no code with the agent. It does the same job: it loads each certificate, compares the
copies in the record (names, serial number, public key), and verifies the list's signature.
"""

import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

DIGESTS = {1: hashes.SHA1, 2: hashes.SHA256, 3: hashes.SHA512}
CONTAINERS = {3, 7, 9, 16, 17, 21}


def header_fields(data):
    """(fields by tag, (offset, length) of the SIGNATURE TLV, header length)."""
    length = struct.unpack_from(">H", data, 8)[0]
    fields, cut, offset = {}, None, 0
    while offset < length:
        tag = data[offset]
        if tag == 13:
            offset += 1
            continue
        size = struct.unpack_from(">H", data, offset + 1)[0]
        if tag == 12:
            cut = (offset, size + 3)
        fields[tag] = data[offset + 3 : offset + 3 + size]
        offset += 3 if tag in CONTAINERS else 3 + size
    if cut is None:
        raise ValueError("the header has no signature")
    return fields, cut, length


def records(data, offset):
    """The records as dictionaries of their fields by tag."""
    while offset < len(data):
        end = offset + struct.unpack_from(">H", data, offset + 3)[0]
        fields = {}
        while offset < end:
            tag, size = struct.unpack_from(">BH", data, offset)
            fields[tag] = data[offset + 3 : offset + 3 + size]
            offset += 3 + size
        yield fields


def record_key(certificate):
    """The public key as a record repeats it."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def parts_of_text(value):
    """The parts of a name as a record writes it, as a set of TYPE=value; simple names only."""
    return {part.strip() for part in value[:-1].decode().replace(";", ",").split(",")}


def parts_of_name(name):
    """The parts of a certificate's name, in the same form."""
    return {f"{part.rfc4514_attribute_name}={part.value}" for part in name}


def read(data):
    """Verify the list: the certificates by role. Raises ValueError or cryptography's InvalidSignature."""
    header, (cut, size), offset = header_fields(data)
    found, signer = [], None
    signer_serial = int.from_bytes(header[5], "big")
    for fields in records(data, offset):
        certificate = x509.load_der_x509_certificate(fields[9])
        if certificate.serial_number != int.from_bytes(fields[6], "big"):
            raise ValueError("serial number differs")
        if record_key(certificate) != fields[7]:
            raise ValueError("public key differs")
        if parts_of_text(fields[3]) != parts_of_name(certificate.subject):
            raise ValueError("subject differs")
        if parts_of_text(fields[5]) != parts_of_name(certificate.issuer):
            raise ValueError("issuer differs")
        role = struct.unpack(">H", fields[4])[0]
        found.append((role, certificate))
        if role == 0 and certificate.serial_number == signer_serial:
            signer = certificate
    if signer is None:
        raise ValueError("the signer is not in the list")
    digest, key = DIGESTS[header[8][0]](), signer.public_key()
    signed = data[:cut] + data[cut + size :]
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(header[12], signed, ec.ECDSA(digest))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(header[12], signed, padding.PKCS1v15(), digest)
    else:
        raise ValueError("the signer's key is of another kind")
    return found
