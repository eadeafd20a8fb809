# SPDX-License-Identifier: MIT
"""Trust lists and signed files put together byte by byte, on both Pythons, from the certificates of tests/vectors.

These files have no good signature (keys are for CPython). They are for lists that are *installed*, whose signature is not
checked any more, and for candidates that must be refused before or because of their signature."""

import binascii

from agent.formats import names
from tests.helpers.agent.both import crypto
from tests.helpers.agent.rows import der

__all__ = ["der", "der_name", "element", "fields", "header", "header_of", "record", "signed_file", "tlv", "trust_list"]

#: A self-signed certificate with an RSA key of 512 bits: CN=weak,O=Lab, serial 77.
WEAK_CERTIFICATE = binascii.unhexlify(
    "3082017e30820128a00302010202014d300d06092a864886f70d0101050500301d310c300a060355040a0c034c6162310d30"
    "0b06035504030c047765616b301e170d3236313132333037323232385a170d3336313132303037323232385a301d310c300a"
    "060355040a0c034c6162310d300b06035504030c047765616b305c300d06092a864886f70d0101010500034b003048024100"
    "b3223f27e08d484c3df0c469fdf4689f0ec3c7741e2ffea8ffdd821b2f074e150b19d515727f2cdd921ab5209d0b5fd555d3"
    "b807c2f8ae41e89a23645f1625310203010001a3533051301d0603551d0e0416041481036bdef5be34b8342da39b1f9e272e"
    "9c6e6444301f0603551d2304183016801481036bdef5be34b8342da39b1f9e272e9c6e6444300f0603551d130101ff040530"
    "030101ff300d06092a864886f70d010105050003410039f0841de3ce72c429edbc79d930789e8bba96a45be541af88cfa278"
    "727103ebeb24a96f2c54b357b4e4a903caf520e36b476947f5c99aa471a4b9152f6d54d4"
)

_library = []


def library():
    """The crypto of this Python, made once."""
    if not _library:
        _library.append(crypto())
    return _library[0]


def fields(certificate):
    """The fields of a certificate, given by the name of its PEM vector or in DER."""
    return library().certificate(der(certificate) if isinstance(certificate, str) else certificate)


def tlv(tag, value=b""):
    """One TLV of a trust file."""
    return bytes([tag]) + len(value).to_bytes(2, "big") + value


def text(tag, value):
    """One TLV of text with its NUL."""
    return tlv(tag, value.encode() + b"\0")


def header_of(parts, version=b"\x01\x02"):
    """A header of VERSION, a correct HEADERLENGTH, and these TLVs."""
    rest = b"".join(parts)
    start = tlv(1, version)
    length = len(start) + 5 + len(rest)
    return start + tlv(2, length.to_bytes(2, "big")) + rest


def signer(subject="CN=signer", issuer="CN=issuer", serial=b"\x05"):
    """SIGNERID with its contents."""
    return tlv(3, text(4, subject) + text(6, issuer) + tlv(5, serial))


def signature_info(digest=1, algorithm=0, modulus=2):
    """SIGNATUREINFO with its contents."""
    return tlv(7, tlv(8, bytes([digest])) + tlv(9, tlv(10, bytes([algorithm])) + tlv(11, bytes([modulus]))))


ORDER = ("signer_version", "signer", "signature_info", "signature", "filename", "timestamp", "rest")


def header(**changes):
    """A whole header of an ITL; each of ORDER may be given as other bytes, None leaves it out."""
    parts = {
        "signer_version": tlv(28, b"\x01\x01"),
        "signer": signer(),
        "signature_info": signature_info(),
        "signature": tlv(12, bytes(256)),
        "filename": text(14, "ITLFile.tlv"),
        "timestamp": tlv(15, b"\x65\x00\x00\x00"),
        "rest": b"\x0d",
    }
    for name in changes:
        assert name in parts, name
        parts[name] = changes[name]
    return header_of([parts[name] for name in ORDER if parts[name]])


def record(role, certificate=None, **changes):
    """One record. certificate: a vector's name or DER; None makes an empty one. Each of dns, subject, issuer, serial,
    key, signature, address may be given as bytes of the value; None leaves it out. rest: more TLVs."""
    values = {}
    if certificate is not None:
        found = fields(certificate)
        values = {
            3: names.to_text(found.subject).encode() + b"\0",
            5: names.to_text(found.issuer).encode() + b"\0",
            6: found.serial,
            7: found.record_key,
            8: found.signature,
            9: der(certificate) if isinstance(certificate, str) else certificate,
        }
    rest = changes.pop("rest", b"")
    numbers = {"dns": 2, "subject": 3, "issuer": 5, "serial": 6, "key": 7, "signature": 8, "address": 10}
    for name in changes:
        values[numbers[name]] = changes[name]
    if role is not None:
        values[4] = role.to_bytes(2, "big")
    body = b"".join([tlv(tag, values[tag]) for tag in sorted(values) if values[tag] is not None]) + rest
    return tlv(1, (5 + len(body)).to_bytes(2, "big")) + body


def trust_list(records, signed_by=None, filename="ITLFile.tlv", **changes):
    """A trust list of these records that names a certificate (vector's name or DER) as its signer."""
    if signed_by is not None:
        found = fields(signed_by)
        changes["signer"] = signer(names.to_text(found.subject), names.to_text(found.issuer), found.serial)
    return header(filename=text(14, filename), **changes) + b"".join(records)


def signed_file(name, body, **changes):
    """A signed file of this name."""
    return header(filename=text(14, name), signer_version=None, **changes) + body


def inside(der):
    """The DER elements side by side in `der`: [(tag, content)]."""
    found = []
    at = 0
    while at < len(der):
        tag, size = der[at], der[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(der[at : at + count], "big")
            at += count
        found.append((tag, der[at : at + size]))
        at += size
    return found


def remade(certificate, serial=None, point=None, issuer=None, version=None):
    """A certificate (DER) with another serial number (content bytes), its EC point written in another way, another issuer
    (a DER Name), or another version (content bytes of its INTEGER).

    Its own signature does not fit then; a phone does not check it."""
    body, algorithm, signature = inside(inside(certificate)[0][1])
    parts = inside(body[1])
    if serial is not None:
        parts[1] = (2, serial)
    if issuer is not None:
        parts[3] = inside(issuer)[0]
    if version is not None:
        parts[0] = (0xA0, element(2, version))
    if point is not None:
        identifier = inside(parts[6][1])[0]
        parts[6] = (0x30, element(*identifier) + element(3, b"\0" + point))
    body = element(0x30, b"".join([element(*part) for part in parts]))
    return element(0x30, body + element(*algorithm) + element(*signature))


def element(tag, content):
    """One DER element of up to 65535 bytes."""
    size = len(content)
    if size < 0x80:
        length = bytes([size])
    elif size < 0x100:
        length = bytes([0x81, size])
    else:
        length = bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def der_name(*sets):
    """A DER Name; each of sets is a list of (object identifier's content, string tag, content)."""
    relative = []
    for pairs in sets:
        inside = [element(0x30, element(6, oid) + element(kind, raw)) for oid, kind, raw in pairs]
        relative.append(element(0x31, b"".join(inside)))
    return element(0x30, b"".join(relative))
