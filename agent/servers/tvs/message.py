# SPDX-License-Identifier: MIT
"""The bytes of TVS, the trust verification protocol: requests encoded, answers decoded (docs/spec/tvs.md, 'Messages').

Header of 10 bytes [seen]: `protocol:1 = 0x57, version:1 = 1, command:1, reserved:1, session:4, length:2`, then
elements. The reserved byte is 0 in requests and anything in answers. Pure functions: no I/O, no decisions.
"""

import struct

from agent.servers.messages import MessageError, element, plain_text, sized, text_of, text_value, walk

PROTOCOL = 0x57
VERSION = 1
HEADER_LENGTH = 10

CERT_VERIFICATION_REQ = 1
CERT_VERIFICATION_RES = 2
QUERY_CERT_REQ = 3
QUERY_CERT_RES = 4

DEVICENAME = 1
CERTIFICATE = 2
SUBJECTNAME = 3
ISSUERNAME = 4
SERIALNUMBER = 5
STATUS = 7
ROLES = 8
TTL = 9
KNOWN = (DEVICENAME, CERTIFICATE, SUBJECTNAME, ISSUERNAME, SERIALNUMBER, STATUS, ROLES, TTL)

STATUS_VALID = 0


class Message:
    """A decoded message. What was not in it is None; names are text, without NUL; `roles` is a tuple of numbers.

    `ttl` is in seconds, `session` a number, `certificate` DER, `serial` bytes as in docs/spec/formats.md.
    """

    def __init__(self, command, session):
        self.command = command
        self.session = session
        self.device_name = self.certificate = self.subject = self.issuer = self.serial = None
        self.status = self.roles = self.ttl = None


def encode(command, session, elements):
    """A whole message. `elements` is a sequence of (tag, value bytes) in their order; ValueError when too long."""
    body = b"".join([element(tag, value) for tag, value in elements])
    if len(body) > 0xFFFF:
        raise ValueError(f"a TVS message of {len(body)} bytes is too long, 65535 at most")
    return struct.pack(">BBBBIH", PROTOCOL, VERSION, command, 0, session, len(body)) + body


def device_name_value(device_name):
    """The value of DEVICENAME: one byte 0x01, then the text without NUL [seen]. ValueError when it holds a NUL."""
    return b"\x01" + text_value(device_name, "the device name")[:-1]


def encode_query(session, device_name, subject, issuer, serial):
    """QUERY_CERT_REQ: "give me the certificate with this issuer and serial".

    Names are text and may be empty (a certificate's subject can be); the serial has at least one byte. The order of
    the elements is that of the published trace [seen: names; inferred: which is the issuer]. Raises ValueError.
    """
    if not serial:
        raise ValueError("the serial number is empty")
    return encode(
        QUERY_CERT_REQ,
        session,
        (
            (DEVICENAME, device_name_value(device_name)),
            (SUBJECTNAME, text_value(subject, "the subject name")),
            (ISSUERNAME, text_value(issuer, "the issuer name")),
            (SERIALNUMBER, serial),
        ),
    )


def encode_verification(session, device_name, certificate):
    """CERT_VERIFICATION_REQ: "is this certificate (DER) trusted, and for what?" ValueError when empty or too long."""
    if not certificate:
        raise ValueError("the certificate is empty")
    return encode(
        CERT_VERIFICATION_REQ,
        session,
        (
            (DEVICENAME, device_name_value(device_name)),
            (CERTIFICATE, certificate),
        ),
    )


def decode(data):
    """A Message from the bytes of exactly one; MessageError says what is wrong; nothing else is raised."""
    if len(data) < HEADER_LENGTH:
        raise MessageError(f"{len(data)} bytes, a TVS header has {HEADER_LENGTH}")
    protocol, version, command, _, session, length = struct.unpack_from(">BBBBIH", data, 0)
    if protocol != PROTOCOL:
        raise MessageError(f"protocol byte 0x{protocol:02x}, TVS has 0x57")
    if version != VERSION:
        raise MessageError(f"TVS version {version}, only 1 is known")
    if length != len(data) - HEADER_LENGTH:
        raise MessageError(f"length field {length}, but {len(data) - HEADER_LENGTH} bytes follow the header")
    elements = walk(data, HEADER_LENGTH, KNOWN)
    message = Message(command, session)
    message.device_name = _device_name(elements.get(DEVICENAME))
    message.certificate = elements.get(CERTIFICATE)
    if message.certificate == b"":
        raise MessageError("CERTIFICATE is empty")
    message.subject = text_of(elements, SUBJECTNAME, "SUBJECTNAME")
    message.issuer = text_of(elements, ISSUERNAME, "ISSUERNAME")
    message.serial = elements.get(SERIALNUMBER)
    if message.serial == b"":
        raise MessageError("SERIALNUMBER is empty")
    message.status = sized(elements, STATUS, 1, "STATUS")
    message.ttl = sized(elements, TTL, 4, "TTL")
    if ROLES in elements:
        message.roles = _distinct(elements[ROLES])
    return message


def _distinct(value):
    """The different numbers of a ROLES element, in their order: at most 256, however long it is."""
    seen = []
    for role in value:
        if role not in seen:
            seen.append(role)
    return tuple(seen)


def _device_name(value):
    if value is None:
        return None
    if value[:1] != b"\x01" or b"\0" in value:
        raise MessageError("DEVICENAME is not 0x01 and a text without NUL")
    return plain_text(value[1:], "DEVICENAME")
