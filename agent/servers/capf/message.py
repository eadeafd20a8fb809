# SPDX-License-Identifier: MIT
"""Encodes and decodes the messages of CAPF, the protocol by which a phone gets its own certificate (docs/spec/capf.md,
'Messages').

A message has a header of 8 bytes: `protocol:1 = 0x55, command:1, session:4, length:2`, then elements. Unknown elements are
skipped. A known element whose value has the wrong size is an error.
"""

import struct

from agent.servers.messages import MessageError, element, sized, text_of, text_value, walk

PROTOCOL = 0x55
VERSION = 3
HEADER_LENGTH = 8

AUTH_REQ = 1
AUTH_RES = 2
KEYGEN_REQ = 3
KEYGEN_RES = 4
STORE_REQ = 9
STORE_RES = 10
FETCH_REQ = 11
FETCH_RES = 12
DELETE_REQ = 13
DELETE_RES = 14
END = 15
RETRY_LATER = 16  # [inferred] docs/spec/capf.md, 'Messages': the element RETRYDELAY is known, the command is a guess
IN_PROGRESS = 17

REASON = 1
REASONINFO = 2
CERTIFICATETYPE = 3
CERTIFICATE = 4
SIGNEDDATA = 6
VERSION_ELEMENT = 7
AUTHTYPE = 8
PUBLICKEY = 9
KEYSIZE = 10
PASSWORD = 11
RETRYDELAY = 12
DEVICENAME = 13
SUDIDATA = 16
KEYTYPE = 17
CURVE = 18
DIGESTTYPE = 19
SHA2SIGNEDDATA = 20
KNOWN = (
    REASON,
    REASONINFO,
    CERTIFICATETYPE,
    CERTIFICATE,
    SIGNEDDATA,
    VERSION_ELEMENT,
    AUTHTYPE,
    PUBLICKEY,
    KEYSIZE,
    PASSWORD,
    RETRYDELAY,
    DEVICENAME,
    SUDIDATA,
    KEYTYPE,
    CURVE,
    DIGESTTYPE,
    SHA2SIGNEDDATA,
)

REASON_NO_ACTION = 0
REASON_UPDATED = 1
REASON_INVALID_ELEMENT = 7
REASON_UNKNOWN_DEVICE = 9

LSC = 1
MIC = 2

RSA = 0
EC = 1
#: The value of CURVE -> the bits of that curve.
CURVES = {0: 256, 1: 384, 2: 521}

DIGEST_SHA1 = 1
DIGEST_SHA512 = 3

# The values of AUTHTYPE, and of capfAuthMode in the configuration. With 0 in AUTH_REQ the phone may choose.
AUTH_STRING = 1
AUTH_NONE = 2
AUTH_LSC = 3
AUTH_MIC = 4


class Message:
    """A decoded message. An element that it did not have is None. certificate: DER. certificate_type: LSC or MIC. device_name,
    password: text without NUL. key_size: bits. retry_delay: seconds [inferred]."""

    def __init__(self, command, session):
        self.command = command
        self.session = session
        self.reason = self.reason_info = self.version = self.auth_type = None
        self.certificate_type = self.certificate = None
        self.key_type = self.key_size = self.curve = self.public_key = None
        self.device_name = self.password = self.retry_delay = None
        self.signed_data = self.sha2_signed_data = self.sudi_data = None


def encode(command, session, elements=()):
    """A whole message, as bytes. elements: a sequence of (tag, value bytes), in their order. Raises ValueError if an element or
    the message is longer than 65535 bytes."""
    body = b"".join([element(tag, value) for tag, value in elements])
    if len(body) > 0xFFFF:
        raise ValueError(f"a CAPF message of {len(body)} bytes is too long, 65535 at most")
    return struct.pack(">BBIH", PROTOCOL, command, session, len(body)) + body


def certificate_value(kind, der):
    """The value of CERTIFICATE: `01`, the length of the rest, `00`, the kind (LSC or MIC), DER."""
    return part(1, bytes((0, kind)) + bytes(der))


def part(kind, value):
    """`kind:1 length:2 value`, as bytes. CERTIFICATE, SHA2SIGNEDDATA and SUDIDATA consist of such parts."""
    return element(kind, value)


def text(value, what):
    """The value of PASSWORD or DEVICENAME: text with a NUL at its end. Raises ValueError if the text itself has a NUL."""
    return text_value(value, what)


def decode(data):
    """The Message in `data`, which holds exactly one. Raises only MessageError, which says what is wrong."""
    if len(data) < HEADER_LENGTH:
        raise MessageError(f"{len(data)} bytes, a CAPF header has {HEADER_LENGTH}")
    protocol, command, session, length = struct.unpack_from(">BBIH", data, 0)
    if protocol != PROTOCOL:
        raise MessageError(f"protocol byte 0x{protocol:02x}, CAPF has 0x55")
    if length != len(data) - HEADER_LENGTH:
        raise MessageError(f"length field {length}, but {len(data) - HEADER_LENGTH} bytes follow the header")
    elements = walk(data, HEADER_LENGTH, KNOWN)
    message = Message(command, session)
    message.reason = sized(elements, REASON, 1, "REASON")
    message.reason_info = _readable(elements.get(REASONINFO))
    message.version = sized(elements, VERSION_ELEMENT, 1, "VERSION")
    message.auth_type = sized(elements, AUTHTYPE, 1, "AUTHTYPE")
    message.key_type = sized(elements, KEYTYPE, 1, "KEYTYPE")
    message.key_size = sized(elements, KEYSIZE, 2, "KEYSIZE")
    message.curve = sized(elements, CURVE, 1, "CURVE")
    message.public_key = elements.get(PUBLICKEY)
    message.device_name = text_of(elements, DEVICENAME, "DEVICENAME")
    message.password = text_of(elements, PASSWORD, "PASSWORD")
    message.retry_delay = _delay(elements.get(RETRYDELAY))
    message.signed_data = elements.get(SIGNEDDATA)
    message.sha2_signed_data = elements.get(SHA2SIGNEDDATA)
    message.sudi_data = elements.get(SUDIDATA)
    message.certificate_type, message.certificate = _certificate(elements.get(CERTIFICATE))
    stated = sized(elements, CERTIFICATETYPE, 1, "CERTIFICATETYPE")
    if stated is not None:
        if message.certificate is not None and stated != message.certificate_type:
            raise MessageError(f"CERTIFICATETYPE {stated}, but the certificate says {message.certificate_type}")
        message.certificate_type = stated
    return message


def _certificate(value):
    if value is None:
        return None, None
    if len(value) <= 5 or value[0] != 1 or value[3] != 0:
        raise MessageError("CERTIFICATE does not start with 01, a length, 00 and a type")
    if value[1] << 8 | value[2] != len(value) - 3:
        raise MessageError(f"CERTIFICATE announces {value[1] << 8 | value[2]} bytes, {len(value) - 3} follow")
    return value[4], value[5:]


def _delay(value):
    """The value of RETRYDELAY in seconds. Nobody has seen this element yet, so any length from 1 to 4 bytes is read."""
    if value is None:
        return None
    if not 1 <= len(value) <= 4:
        raise MessageError(f"RETRYDELAY has {len(value)} bytes, 1 to 4 expected")
    return int.from_bytes(value, "big")


def _readable(value):
    """REASONINFO as printable ASCII, for the log. Its form is not known, so every value is accepted."""
    if value is None:
        return None
    return "".join([chr(byte) if 32 <= byte < 127 else "" for byte in value[:200]])
