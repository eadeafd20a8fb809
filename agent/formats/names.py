# SPDX-License-Identifier: MIT
"""Roles, serial numbers and distinguished names, as trust lists write them (docs/spec/formats.md, 'Names').

Tools write names with `,` or `;`, in different orders, with different escapes. Two names are the same if their sets of (type,
value) pairs are equal (N2); letter case and the number of blanks make no difference (N3). A name with a type, an escape or
a letter that is unknown here is not compared at all (N4), because a wrong refusal would lock a phone out."""

from agent.formats.text import is_plain
from agent.formats.tlv import is_utf8

SAST = 0
CCM = 1
CCM_TFTP = 2
TFTP = 3
CAPF = 4
APP_SERVER = 7
TVS = 21

ROLE_NAMES = {
    SAST: "SAST",
    CCM: "CCM",
    CCM_TFTP: "CCM+TFTP",
    TFTP: "TFTP",
    CAPF: "CAPF",
    APP_SERVER: "APP-SERVER",
    TVS: "TVS",
}


def role_name(number):
    """The name of a role: "TFTP"; "role 9" for an unknown role; "no role" for None, which means a record without a role."""
    if number is None:
        return "no role"
    return ROLE_NAMES.get(number) or "role %d" % number


def role_number(name):
    """The number of the role with this name, in any case, or None."""
    for number in ROLE_NAMES:
        if ROLE_NAMES[number] == name.upper():
            return number
    return None


def serial_bytes(raw):
    """A serial number without leading zero bytes. DER adds one before a set top bit, and trust lists do not.

    The number zero is one zero byte here; trust lists may write it as no bytes at all (N5)."""
    raw = bytes(raw) or b"\0"
    start = 0
    while start < len(raw) - 1 and raw[start] == 0:
        start += 1
    return raw[start:]


# Attribute types: a name, the content of the DER object identifier, and other keywords in use (RFC 4514, RFC 2256, RFC 1779,
# OpenSSL, Java).
_TYPES = (
    ("CN", b"\x55\x04\x03", ("COMMONNAME",)),
    ("SN", b"\x55\x04\x04", ("SURNAME",)),
    ("SERIALNUMBER", b"\x55\x04\x05", ()),
    ("C", b"\x55\x04\x06", ("COUNTRYNAME",)),
    ("L", b"\x55\x04\x07", ("LOCALITYNAME",)),
    ("ST", b"\x55\x04\x08", ("S", "STATEORPROVINCENAME")),
    ("STREET", b"\x55\x04\x09", ("STREETADDRESS",)),
    ("O", b"\x55\x04\x0a", ("ORGANIZATIONNAME",)),
    ("OU", b"\x55\x04\x0b", ("ORGANIZATIONALUNITNAME",)),
    ("TITLE", b"\x55\x04\x0c", ("T",)),
    ("POSTALCODE", b"\x55\x04\x11", ()),
    ("GIVENNAME", b"\x55\x04\x2a", ("GN", "G")),
    ("INITIALS", b"\x55\x04\x2b", ()),
    ("GENERATION", b"\x55\x04\x2c", ("GENERATIONQUALIFIER",)),
    ("DNQUALIFIER", b"\x55\x04\x2e", ("DNQ",)),
    ("ORGANIZATIONIDENTIFIER", b"\x55\x04\x61", ()),
    ("UID", b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", ("USERID",)),
    ("DC", b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", ("DOMAINCOMPONENT",)),
    ("EMAILADDRESS", b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", ("E", "EMAIL")),
)
_KEYWORDS = {}
_OIDS = {}


def _dotted(oid):
    """The content bytes of a DER object identifier as dotted text."""
    numbers = [oid[0] // 40, oid[0] % 40]
    value = 0
    for byte in oid[1:]:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(value)
            value = 0
    return ".".join([str(number) for number in numbers])


for _name, _oid, _others in _TYPES:
    _OIDS[_oid] = _name
    for _keyword in (_name, _dotted(_oid), "OID." + _dotted(_oid)) + _others:
        _KEYWORDS[_keyword] = _name

#: The longest name that is compared: characters of text, or bytes of DER. Real names have less than 500. The bound keeps
#: a hostile list from using up a phone's memory.
NAME_LIMIT = 2048

_SPECIAL = ',;+"\\<>=# /'  # characters that tools put a backslash before
_HEX = "0123456789abcdefABCDEF"


def _utf8(raw):
    """UTF-8 bytes as text, or None if they are invalid. MicroPython's own decoder accepts some invalid bytes."""
    return str(raw, "utf-8") if is_utf8(raw) else None


def _value(text, at):
    """The attribute value that starts at the index `at`: (value, index of the separator after it, or of the end). None if the
    value is not understood."""
    size = len(text)
    out = bytearray()  # UTF-8, because hexadecimal escapes are bytes of a longer character
    keep = 0  # bytes up to here were escaped or quoted, so blanks at their end stay
    quoted = False
    while at < size:
        letter = text[at]
        if letter == "\\":
            if at + 1 >= size:
                return None
            following = text[at + 1]
            if at + 2 < size and following in _HEX and text[at + 2] in _HEX:
                out.append(int(text[at + 1 : at + 3], 16))
                at += 3
            elif following in _SPECIAL:
                out.append(ord(following))
                at += 2
            else:
                return None
            keep = len(out)
            continue
        if letter == '"':
            if not quoted and out:
                return None  # quotes go around a whole value
            quoted = not quoted
            at += 1
            keep = len(out)
            if quoted:
                continue
            while at < size and text[at] == " ":
                at += 1
            if at < size and text[at] not in ",;+":
                return None
            break
        if not quoted and letter in ",;+":
            break
        if letter == "#" and not quoted and not out:
            return None  # the value is hexadecimal BER, because its type has no text form
        out.extend(letter.encode())
        at += 1
    if quoted:
        return None  # the closing quote is missing
    end = len(out)
    while end > keep and out[end - 1] == 0x20:
        end -= 1
    value = _utf8(out[:end])
    return None if value is None else (value, at)


def parse_text(text):
    """The set of (type, value) pairs of a name that is written as text, or None if the name is not fully understood (N4)."""
    pairs = set()
    size = len(text)
    if size > NAME_LIMIT:
        return None
    at = 0
    while at < size:
        equals = text.find("=", at)
        if equals < 0:
            return None
        keyword = text[at:equals].strip(" ")
        # Only ASCII: CPython's upper() turns some other letters into S.
        keyword = _KEYWORDS.get(keyword.upper()) if all([letter < "\x80" for letter in keyword]) else None
        if keyword is None:
            return None
        at = equals + 1
        while at < size and text[at] == " ":
            at += 1
        found = _value(text, at)
        if found is None:
            return None
        value, at = found
        pairs.add((keyword, value.strip(" ")))
        if at < size:
            at += 1  # the separator
            if not text[at:].strip(" "):
                return None  # the name ends in a separator, so a part is missing
    return pairs


def _tlv(der, offset, end, wanted):
    """(offset, end) of the content of the DER element at `offset`. None if its tag is not `wanted` (None allows any tag) or it
    does not end before `end`."""
    if offset + 2 > end or (wanted is not None and der[offset] != wanted):
        return None
    length = der[offset + 1]
    offset += 2
    if length >= 0x80:
        count = length & 0x7F
        if count not in (1, 2) or offset + count > end:
            return None
        length = int.from_bytes(bytes(der[offset : offset + count]), "big")
        offset += count
    if offset + length > end:
        return None
    return offset, offset + length


def _decode(kind, raw):
    """The text of a directory string. kind: its DER tag. None if the kind is not text or the bytes are invalid."""
    if kind == 0x0C:
        return _utf8(raw)
    if kind in (0x12, 0x13, 0x16, 0x1A):  # Numeric, Printable, IA5, Visible
        return str(raw, "utf-8") if all([byte < 0x80 for byte in raw]) else None
    if kind == 0x14:  # Teletex, which all programs read as Latin-1
        return "".join([chr(byte) for byte in raw])
    if kind == 0x1E and len(raw) % 2 == 0:  # BMP
        units = [raw[i] << 8 | raw[i + 1] for i in range(0, len(raw), 2)]
        return _from_codes(units)
    if kind == 0x1C and len(raw) % 4 == 0:  # Universal
        return _from_codes([int.from_bytes(raw[i : i + 4], "big") for i in range(0, len(raw), 4)])
    return None


def _from_codes(codes):
    """The text of these characters, None where one of them is no character."""
    if any([0xD800 <= code <= 0xDFFF or code > 0x10FFFF for code in codes]):
        return None
    return "".join([chr(code) for code in codes])


def parse_der(der):
    """The set of (type, value) pairs of a DER Name (RFC 5280, 4.1.2.4), or None if the name is not fully understood (N4)."""
    pairs = set()
    outer = _tlv(der, 0, len(der), 0x30)
    if outer is None or outer[1] != len(der) or len(der) > NAME_LIMIT:
        return None
    at, end = outer
    while at < end:
        relative = _tlv(der, at, end, 0x31)
        if relative is None:
            return None
        inside, at = relative
        while inside < at:
            pair = _tlv(der, inside, at, 0x30)
            if pair is None:
                return None
            first, inside = pair
            oid = _tlv(der, first, inside, 0x06)
            if oid is None:
                return None
            keyword = _OIDS.get(bytes(der[oid[0] : oid[1]]))
            content = _tlv(der, oid[1], inside, None)
            if keyword is None or content is None or content[1] != inside:
                return None
            value = _decode(der[oid[1]], bytes(der[content[0] : content[1]]))
            if value is None:
                return None
            pairs.add((keyword, value.strip(" ")))
    return pairs


def same(text, der):
    """Whether a name as text and a DER Name are the same: True, False, or None if they cannot be compared (N4)."""
    left = parse_text(text)
    if left is None:
        return None
    right = parse_der(der)
    if right is None:
        return None
    left = set([(keyword, folded(value)) for keyword, value in left])
    right = set([(keyword, folded(value)) for keyword, value in right])
    if left == right:
        return True
    for _, value in left ^ right:
        if not all([_is_understood(ord(letter)) for letter in value]):
            return None
    return False


def folded(value):
    """An attribute's value in the form in which values are compared: small letters, no blanks at its ends, single blanks inside
    (RFC 4518)."""
    if is_plain(value):
        return " ".join(value.split()).lower()
    out = []
    for letter in value:
        if letter not in _BLANKS:
            out.append(chr(_small(ord(letter))))
        elif out and out[-1] != " ":
            out.append(" ")
    return "".join(out).rstrip(" ")


_BLANKS = " \t\n\v\f\r\x85\xa0"
#: Letters of the alphabets below for which the small form or the compatibility form is not one letter, or is ambiguous.
_UNSURE = (0xDF, 0x130, 0x131, 0x132, 0x133, 0x138, 0x13F, 0x140, 0x149, 0x17F, 0x3C2)
#: Letters that have one form only: Hebrew, Arabic, Hiragana, Katakana, Chinese characters, Hangul syllables (first, last).
_ONE_FORM = (
    (0x5D0, 0x5EA),
    (0x621, 0x63A),
    (0x641, 0x64A),
    (0x3041, 0x3096),
    (0x30A1, 0x30FA),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
)


def _small(code):
    """The code of the small letter for a capital letter: ASCII, Latin-1, Latin Extended-A, and the common letters of Greek and
    Cyrillic. Any other code is returned unchanged.

    It is written by hand, because MicroPython's lower() knows only ASCII and both Pythons must agree."""
    if code < 0xC0:
        return code + 0x20 if 0x41 <= code <= 0x5A else code
    if code <= 0xDE:
        return code + 0x20 if code != 0xD7 else code
    if 0x100 <= code < 0x180 and code not in _UNSURE:
        if code == 0x178:
            return 0xFF
        first_is_odd = 0x139 <= code <= 0x148 or 0x179 <= code
        return code + 1 if code & 1 == first_is_odd else code
    if 0x391 <= code <= 0x3A9 or 0x410 <= code <= 0x42F:
        return code + 0x20
    return code + 0x50 if 0x400 <= code <= 0x40F else code


def _is_understood(code):
    """Whether this small letter certainly differs from every other letter. Control characters and signs may be ignored or may
    equal another one (RFC 4518, 2.2 and 2.3), and most alphabets are not known here."""
    if code < 0xC0:
        return 0x20 <= code < 0x7F
    if code < 0x180 or 0x3B1 <= code <= 0x3C9 or 0x430 <= code <= 0x45F:
        return code not in _UNSURE
    return any([first <= code <= last for first, last in _ONE_FORM])


def to_text(der):
    """A DER Name as text for a person, the most specific part first; "(name not understood)" for other names."""
    pairs = parse_der(der)
    if pairs is None:
        return "(name not understood)"
    order = ("CN", "OU", "O", "L", "ST", "C")
    rank = [(order.index(pair[0]) if pair[0] in order else len(order), pair) for pair in pairs]
    return ",".join(["%s=%s" % (pair[0], _escaped(pair[1])) for _, pair in sorted(rank)])


def _escaped(value):
    out = ""
    for letter in value:
        out += "\\" + letter if letter in ',;+"\\<>=#' else letter
    return out
