# SPDX-License-Identifier: MIT
"""Reads the fields of an X.509 certificate (RFC 5280, 4.1) from strict DER. It does the same as native/certificate.c.

Both accept exactly the same bytes, so that a PC without libphonetrust judges a file as a phone does. Extensions are ignored.
Tests compare both with the package `cryptography`."""

OID_RSA = bytes.fromhex("2a864886f70d010101")
OID_EC = bytes.fromhex("2a8648ce3d0201")
CURVE_BITS = {
    bytes.fromhex("2a8648ce3d030107"): 256,
    bytes.fromhex("2b81040022"): 384,
    bytes.fromhex("2b81040023"): 521,
}
INTEGER, BIT_STRING, OBJECT_IDENTIFIER, UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 2, 3, 6, 0x17, 0x18, 0x30, 0x31
VERSION, EXTENSIONS, UNIQUE_IDENTIFIERS = 0xA0, 0xA3, (0x81, 0x82)


class Certificate:
    """The fields of one X.509 certificate, as `hal/__init__.py` lists them."""

    __slots__ = (
        "issuer",
        "subject",
        "serial",
        "public_key",
        "record_key",
        "key_kind",
        "key_bits",
        "signature",
        "signature_algorithm",
        "not_before",
        "not_after",
    )


class _Reader:
    """Reads elements of DER, one after the other, from the offset `at` to `end`. Raises ValueError if the bytes are not strict
    DER."""

    def __init__(self, der, at, end):
        self.der, self.at, self.end = der, at, end

    @property
    def tag(self):
        """The tag of the next element, or None at the end."""
        return self.der[self.at] if self.at < self.end else None

    def take(self, tag=None):
        """A reader of the contents of the next element, which must have this tag; None allows any tag."""
        if self.at + 2 > self.end or tag not in (None, self.der[self.at]):
            raise ValueError("another element is expected, or the bytes end")
        length, at = self.der[self.at + 1], self.at + 2
        if length >= 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or at + size > self.end:
                raise ValueError("a length that cannot be read")
            length, at = int.from_bytes(self.der[at : at + size], "big"), at + size
            if length < 0x80 or length >> 8 * (size - 1) == 0:
                raise ValueError("a length in more bytes than it needs")
        if at + length > self.end:
            raise ValueError("a length runs over its end")
        self.at = at + length
        return _Reader(self.der, at, self.at)

    def whole(self, tag):
        """The next element with its header, as bytes."""
        start = self.at
        self.take(tag)
        return self.der[start : self.at]

    def bytes(self):
        """All bytes from here to the end."""
        return self.der[self.at : self.end]

    def close(self):
        """Raise ValueError if anything is left."""
        if self.at != self.end:
            raise ValueError("bytes follow where none may follow")

    def integer(self):
        """The contents of an INTEGER, without a zero byte in front."""
        value = self.take(INTEGER).bytes()
        if not value or len(value) > 1 and (value[0], value[1] >> 7) in ((0, 0), (0xFF, 1)):
            raise ValueError("a number in more bytes than it needs")
        return value[1:] if len(value) > 1 and value[0] == 0 else value

    def bits(self):
        """The contents of a BIT STRING of whole bytes."""
        value = self.take(BIT_STRING).bytes()
        if not value or value[0] != 0:
            raise ValueError("bits that are not whole bytes")
        return value[1:]

    def algorithm(self):
        """(object identifier, reader of the parameters) of an AlgorithmIdentifier."""
        inside = self.take(SEQUENCE)
        identifier = inside.take(OBJECT_IDENTIFIER).bytes()
        if not identifier:
            raise ValueError("an object identifier without bytes")
        return identifier, inside


def read(der):
    """The fields of a certificate (bytes). Raises ValueError if `der` is not exactly one certificate in strict DER."""
    try:
        return _read(bytes(der))
    except ValueError as error:
        raise ValueError(f"unreadable certificate: {error}") from None


def _read(der):
    found = Certificate()
    outer = _Reader(der, 0, len(der))
    parts = outer.take(SEQUENCE)
    outer.close()
    body = parts.take(SEQUENCE)
    _version(body)
    found.serial = body.integer()
    body.algorithm()
    found.issuer = _name(body)
    validity = body.take(SEQUENCE)
    found.not_before, found.not_after = _time(validity), _time(validity)
    validity.close()
    found.subject = _name(body)
    _public_key(found, body)
    for tag in (*UNIQUE_IDENTIFIERS, EXTENSIONS):
        if body.tag == tag:
            body.take(tag)
    body.close()
    found.signature_algorithm = dotted(parts.algorithm()[0])
    found.signature = parts.bits()
    parts.close()
    return found


def _version(body):
    if body.tag == VERSION:
        inside = body.take(VERSION)
        if inside.integer() not in (b"\x01", b"\x02"):  # 2 and 3; 1 is not written in DER
            raise ValueError("an unknown version")
        inside.close()


def _name(body):
    der = body.whole(SEQUENCE)
    relative = _Reader(der, 0, len(der)).take(SEQUENCE)
    while relative.tag is not None:
        attributes = relative.take(SET)
        if attributes.tag is None:
            raise ValueError("a part of a name without attributes")
        while attributes.tag is not None:
            pair = attributes.take(SEQUENCE)
            if not pair.take(OBJECT_IDENTIFIER).bytes():
                raise ValueError("an object identifier without bytes")
            pair.take()
            pair.close()
    return der


def _time(validity):
    utc = validity.tag == UTC_TIME
    raw = validity.take(UTC_TIME if utc else GENERALIZED_TIME).bytes()
    if len(raw) != (13 if utc else 15) or raw[-1:] != b"Z" or not raw[:-1].isdigit():
        raise ValueError("a malformed time")
    text = raw.decode()
    text = ("19" if text[:2] >= "50" else "20") + text if utc else text
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60):
        raise ValueError("a malformed time")
    return text


def _public_key(found, body):
    found.public_key = body.whole(SEQUENCE)
    inside = _Reader(found.public_key, 0, len(found.public_key)).take(SEQUENCE)
    identifier, parameters = inside.algorithm()
    found.record_key = inside.bits()
    inside.close()
    found.key_kind, found.key_bits = "other", 0
    if identifier == OID_RSA:
        outer = _Reader(found.record_key, 0, len(found.record_key))
        numbers = outer.take(SEQUENCE)
        outer.close()
        modulus = numbers.integer()
        numbers.integer()
        numbers.close()
        top = modulus[0].bit_length()
        found.key_kind, found.key_bits = "rsa", (len(modulus) - 1) * 8 + top
    elif identifier == OID_EC:
        try:
            curve = parameters.take(OBJECT_IDENTIFIER).bytes()
            parameters.close()
        except ValueError:
            return
        if curve in CURVE_BITS:
            found.key_kind, found.key_bits = "ec", CURVE_BITS[curve]


def dotted(content):
    """The contents of an OBJECT IDENTIFIER as dotted text (X.690, 8.19). It is base 128, and the first number has two arcs."""
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            if not arcs:
                arcs.append(min(value // 40, 2))
                value -= 40 * arcs[0]
            arcs.append(value)
            value = 0
    return ".".join(map(str, arcs))
