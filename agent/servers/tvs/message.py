# SPDX-License-Identifier: MIT
"""Encodes and decodes the messages of TVS, the trust verification protocol (docs/spec/tvs.md, 'Messages').

A message has a header of 10 bytes [seen]: `protocol:1 = 0x57, version:1 = 1, command:1, reserved:1, session:4, length:2`,
then elements. The reserved byte is 0 in requests and has any value in answers (T3).
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
#: What a phone reads of an answer. Anything else in it is skipped, however it is written: some of it is [inferred].
ANSWERING = (CERTIFICATE, STATUS, ROLES, TTL)

STATUS_VALID = 0


class Message:
    """A decoded message. An element that it did not have is None. command, session, status: numbers. device_name, subject,
    issuer: text without NUL. certificate: DER. serial: bytes as in docs/spec/formats.md. roles: a tuple of numbers. ttl:
    seconds.
    """

    def __init__(self, command, session):
        self.command = command
        self.session = session
        self.device_name = self.certificate = self.subject = self.issuer = self.serial = None
        self.status = self.roles = self.ttl = None


def encode(command, session, elements):
    """A whole message, as bytes. elements: a sequence of (tag, value bytes), in their order. Raises ValueError if an element or
    the message is longer than 65535 bytes."""
    body = b"".join([element(tag, value) for tag, value in elements])
    if len(body) > 0xFFFF:
        raise ValueError(f"a TVS message of {len(body)} bytes is too long, 65535 at most")
    return struct.pack(">BBBBIH", PROTOCOL, VERSION, command, 0, session, len(body)) + body


def device_name_value(device_name):
    """The value of DEVICENAME: a byte 0x01, then the text without NUL [seen]. Raises ValueError if the text has a NUL."""
    return b"\x01" + text_value(device_name, "the device name")[:-1]


def encode_query(session, device_name, subject, issuer, serial):
    """QUERY_CERT_REQ, which asks for the certificate with this issuer and serial number.

    subject, issuer: text, may be empty, since a certificate's subject can be empty. serial: at least one byte. The elements
    have the order of the published trace [seen: the subject; inferred: which of the others is the issuer]. Raises ValueError
    for an empty serial number, a NUL in a text, and a message that is too long.
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
    """CERT_VERIFICATION_REQ, which asks whether this certificate (DER) is trusted, and in which roles. Raises ValueError if the
    certificate is empty or too long."""
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


def decode(data, known=KNOWN):
    """The Message in `data`, which holds exactly one. Raises only MessageError, which says what is wrong.

    known: the elements that are read; all others are skipped."""
    if len(data) < HEADER_LENGTH:
        raise MessageError(f"{len(data)} bytes, a TVS header has {HEADER_LENGTH}")
    protocol, version, command, _, session, length = struct.unpack_from(">BBBBIH", data, 0)
    if protocol != PROTOCOL:
        raise MessageError(f"protocol byte 0x{protocol:02x}, TVS has 0x57")
    if version != VERSION:
        raise MessageError(f"TVS version {version}, only 1 is known")
    if length != len(data) - HEADER_LENGTH:
        raise MessageError(f"length field {length}, but {len(data) - HEADER_LENGTH} bytes follow the header")
    elements = walk(data, HEADER_LENGTH, known)
    message = Message(command, session)
    message.device_name = _device_name(elements.get(DEVICENAME))
    message.certificate = elements.get(CERTIFICATE)
    if message.certificate == b"":
        raise MessageError("CERTIFICATE is empty")
    message.subject = text_of(elements, SUBJECTNAME, "SUBJECTNAME")
    message.issuer = text_of(elements, ISSUERNAME, "ISSUERNAME")
    if SERIALNUMBER in elements:
        message.serial = elements[SERIALNUMBER] or b"\0"  # 0 may stand as no bytes at all (formats.md, N5)
    message.status = sized(elements, STATUS, 1, "STATUS")
    message.ttl = sized(elements, TTL, 4, "TTL")
    if ROLES in elements:
        message.roles = _distinct(elements[ROLES])
    return message


def _distinct(value):
    """The numbers of a ROLES element without repetition, in their order: at most 256, however long the element is."""
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
