# SPDX-License-Identifier: MIT
"""Writer of trust lists and signed files, byte for byte as docs/spec/formats.md describes them.

This is the lab's own reading of the format; it shares no code with the phone's parser in agent/, so that one can be
tested against the other. The order of the fields is that of files that real phones accept [seen].
"""

import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from host_tools.lab.errors import LabError

SAST, CCM, CCM_TFTP, TFTP, CAPF, APP_SERVER, TVS = 0, 1, 2, 3, 4, 7, 21
ROLE_NAMES = {
    SAST: "SAST",
    CCM: "CCM",
    CCM_TFTP: "CCM+TFTP",
    TFTP: "TFTP",
    CAPF: "CAPF",
    APP_SERVER: "APP-SERVER",
    TVS: "TVS",
}
DIGESTS = {"sha1": (1, hashes.SHA1), "sha256": (2, hashes.SHA256), "sha512": (3, hashes.SHA512)}
MODULUS_CODES = {512: 0, 1024: 1, 2048: 2, 4096: 3}
ITL_NAME, CTL_NAME = "ITLFile.tlv", "CTLFile.tlv"


def tlv(tag, value):
    """One TLV: tag in one byte, length of the value in two, value."""
    if len(value) > 0xFFFF:
        raise LabError(f"the value of tag {tag} has {len(value)} bytes; 65535 fit")
    return struct.pack(">BH", tag, len(value)) + value


def text(value):
    """A text value: UTF-8, ended by a NUL byte."""
    return value.encode("utf-8") + b"\0"


def name_text(name, separator=","):
    """A certificate name as these files write it: first RDN first, RDNs separated by `separator`, RFC 4514 escapes."""
    return separator.join(rdn.rfc4514_string() for rdn in name.rdns)


def serial_bytes(number):
    """A serial number, unsigned, without leading zero bytes (zero itself is one byte)."""
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def record_key(public_key):
    """The PUBLICKEY value: PKCS#1 RSAPublicKey DER for RSA, the uncompressed point for EC."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return public_key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def record(certificate, role, dns_name=None, address=None):
    """One record of a trust list. `dns_name` is text, `address` 4 bytes of IPv4; both may be missing."""
    parts = []
    if dns_name is not None:
        parts.append(tlv(2, text(dns_name)))
    parts += [
        tlv(3, text(name_text(certificate.subject))),
        tlv(5, text(name_text(certificate.issuer))),
        tlv(6, serial_bytes(certificate.serial_number)),
        tlv(4, struct.pack(">H", role)),
        tlv(7, record_key(certificate.public_key())),
        tlv(8, certificate.signature),
        tlv(9, certificate.public_bytes(serialization.Encoding.DER)),
    ]
    if address is not None:
        parts.append(tlv(10, address))
    return _with_length(parts)


def empty_record(role):
    """A blank record, which has only a role. A list prepared for rollback has blank records in place of TFTP and TVS."""
    return _with_length([tlv(4, struct.pack(">H", role))])


def trust_list(file_name, signer, records, timestamp, digest="sha512", knows_ec=True):
    """A whole CTL or ITL: `file_name` (ITL_NAME, CTL_NAME), `signer` an Identity with an RSA key, `records` as bytes.

    `timestamp` is in seconds since 1970; `digest` is one of DIGESTS. Lists of clusters that know EC have signer version
    1.1, other lists 1.0.
    """
    body = b"".join(records)
    signer_version = b"\x01\x01" if knows_ec else b"\x01\x00"
    return signed(file_name, body, signer, timestamp, digest, version=b"\x01\x02", signer_version=signer_version)


def signed_file(file_name, body, signer, timestamp, digest="sha512"):
    """A signed file (`.sgn`): header 1.0 with `file_name` inside, then `body` as it is."""
    return signed(file_name, body, signer, timestamp, digest, version=b"\x01\x00")


def signed(file_name, body, signer, timestamp, digest, version, signer_version=None, extra=b""):
    """Header and body, signed. `extra` are the TLVs after TIMESTAMP (encryption).

    The signature covers the file without the SIGNATURE TLV, with the final header length in it [seen].
    """
    if digest not in DIGESTS:
        raise LabError(f"digest {digest!r} is unknown; these are: {', '.join(DIGESTS)}")
    digest_code, digest_class = DIGESTS[digest]
    key = signer.key
    if not isinstance(key, rsa.RSAPrivateKey):
        raise LabError("trust lists and signed files are signed with RSA keys; the signer has another kind or none")
    if key.key_size not in MODULUS_CODES:
        raise LabError(f"the header has no code for an RSA key of {key.key_size} bits")
    certificate = signer.certificate
    signer_id = (
        tlv(4, text(name_text(certificate.subject)))
        + tlv(6, text(name_text(certificate.issuer)))
        + tlv(5, serial_bytes(certificate.serial_number))
    )
    algorithm = tlv(10, b"\0") + tlv(11, bytes([MODULUS_CODES[key.key_size]]))
    signature_info = tlv(8, bytes([digest_code])) + tlv(9, algorithm)
    before = b"" if signer_version is None else tlv(28, signer_version)
    before += tlv(3, signer_id) + tlv(7, signature_info)
    after = tlv(14, text(file_name)) + tlv(15, struct.pack(">I", timestamp)) + extra
    signature_size = 3 + key.key_size // 8
    length = 10 + len(before) + signature_size + len(after)  # 10: VERSION and HEADERLENGTH
    pad = -length % 4
    before = tlv(1, version) + tlv(2, struct.pack(">H", length + pad)) + before
    after += b"\x0d" * pad
    signature = key.sign(before + after + body, padding.PKCS1v15(), digest_class())
    return before + tlv(12, signature) + after + body


def _with_length(parts):
    content = b"".join(parts)
    return tlv(1, struct.pack(">H", len(content) + 5)) + content
