# SPDX-License-Identifier: MIT
"""The only place that walks tags and lengths in trust lists and signed files (docs/spec/formats.md, P2).

A TLV is `tag:1 length:2 value:length`, big-endian. Both walks check every length against its container before they use it.
They yield (tag, offset of the value, length of the value) one by one, so their memory does not grow with the file that a
server sends. phonetrust_header_index and phonetrust_record_index in native/ do the same in C, and must return the same tags,
offsets and errors."""

from agent.errors import Malformed

VERSION = 1
HEADERLENGTH = 2
SIGNERID = 3
SIGNERNAME = 4
SERIALNUMBER = 5
CANAME = 6
SIGNATUREINFO = 7
DIGESTALGORITHM = 8
SIGNATUREALGOINFO = 9
SIGNATUREALGORITHM = 10
SIGNATUREMODULUS = 11
SIGNATURE = 12
PADDING = 13
FILENAME = 14
TIMESTAMP = 15
ENCRYPTIONINFO = 16
IVINFO = 17
IV = 19
CIPHERPADDING = 20
KEYINFO = 21
KEYSIZE = 23
KEYALGORITHM = 24
KEY = 25
PLAINDIGESTALGORITHM = 26
PLAINDIGEST = 27
SIGNERVERSION = 28

#: Tag -> its name. 18 and 22 appear in encrypted files [seen]; their meaning is unknown.
HEADER_NAMES = {
    VERSION: "VERSION",
    HEADERLENGTH: "HEADERLENGTH",
    SIGNERID: "SIGNERID",
    SIGNERNAME: "SIGNERNAME",
    SERIALNUMBER: "SERIALNUMBER",
    CANAME: "CANAME",
    SIGNATUREINFO: "SIGNATUREINFO",
    DIGESTALGORITHM: "DIGESTALGORITHM",
    SIGNATUREALGOINFO: "SIGNATUREALGOINFO",
    SIGNATUREALGORITHM: "SIGNATUREALGORITHM",
    SIGNATUREMODULUS: "SIGNATUREMODULUS",
    SIGNATURE: "SIGNATURE",
    PADDING: "PADDING",
    FILENAME: "FILENAME",
    TIMESTAMP: "TIMESTAMP",
    ENCRYPTIONINFO: "ENCRYPTIONINFO",
    IVINFO: "IVINFO",
    18: "(18)",
    IV: "IV",
    CIPHERPADDING: "CIPHERPADDING",
    KEYINFO: "KEYINFO",
    22: "(22)",
    KEYSIZE: "KEYSIZE",
    KEYALGORITHM: "KEYALGORITHM",
    KEY: "KEY",
    PLAINDIGESTALGORITHM: "PLAINDIGESTALGORITHM",
    PLAINDIGEST: "PLAINDIGEST",
    SIGNERVERSION: "SIGNERVERSION",
}

#: Tag in a record -> its name.
RECORD_NAMES = {
    1: "RECORDLENGTH",
    2: "DNSNAME",
    3: "SUBJECTNAME",
    4: "FUNCTION",
    5: "ISSUERNAME",
    6: "SERIALNUMBER",
    7: "PUBLICKEY",
    8: "SIGNATURE",
    9: "CERTIFICATE",
    10: "IPADDRESS",
    11: "CERTIFICATEHASH",
    12: "HASHALGORITHM",
}

#: Container -> the known tags that may appear inside it and nowhere else.
CONTAINERS = {
    SIGNERID: (SIGNERNAME, SERIALNUMBER, CANAME),
    SIGNATUREINFO: (DIGESTALGORITHM, SIGNATUREALGOINFO),
    SIGNATUREALGOINFO: (SIGNATUREALGORITHM, SIGNATUREMODULUS),
    ENCRYPTIONINFO: (IVINFO, KEYINFO),
    IVINFO: (18, IV, CIPHERPADDING),
    KEYINFO: (22, KEYSIZE, KEYALGORITHM, KEY),
}
_PARENT = {}
for _container in CONTAINERS:
    for _tag in CONTAINERS[_container]:
        _PARENT[_tag] = _container


def u16(data, offset):
    """The big-endian unsigned 16-bit number at `offset`. The caller has checked that both bytes are there."""
    return data[offset] << 8 | data[offset + 1]


def header_length(data):
    """The length of the header in bytes, from the first ten bytes of a file. It is checked against len(data). Raises
    Malformed."""
    size = len(data)
    if size == 0:
        raise Malformed("the file is empty", VERSION, 0)
    if data[0] != VERSION:
        raise Malformed("the file does not start with a header (tag 1)", data[0], 0)
    if size < 3:
        raise Malformed("the file ends inside the first tag", VERSION, 0)
    second = 3 + u16(data, 1)
    if second + 5 > size:
        raise Malformed("the file ends before the header length", VERSION, 0)
    if data[second] != HEADERLENGTH or u16(data, second + 1) != 2:
        raise Malformed("HEADERLENGTH (tag 2, two bytes) must come second", data[second], second)
    length = u16(data, second + 3)
    if length < second + 5:
        raise Malformed("the header length %d is shorter than what it counts" % length, HEADERLENGTH, second)
    if length > size:
        raise Malformed("the header length %d runs past the file of %d bytes" % (length, size), HEADERLENGTH, second)
    return length


def header_tlvs(data):
    """Yields (tag, offset of the value, length of the value) for all TLVs of the header of `data` (bytes or memoryview). A
    container comes before its contents.

    PADDING is a single byte: its offset is the byte after it, and its length is 0. Unknown tags are yielded too and may
    repeat (P5). Raises Malformed (tag and offset of the TLV)."""
    end = header_length(data)
    seen = 0  # a bit for each known tag
    container = 0  # the tag of the innermost open container, 0 for the header itself
    limit = end  # the offset at which the innermost container ends
    outer = []  # (tag, limit) of the containers around it; at most three, because known tags do not repeat
    offset = 0
    while True:
        while offset == limit and outer:
            container, limit = outer.pop()
        if offset == limit:
            return
        tag = data[offset]
        known = tag in HEADER_NAMES
        if known and _PARENT.get(tag, 0) != container:
            raise Malformed("%s does not belong here" % HEADER_NAMES[tag], tag, offset)
        if tag == PADDING:
            offset += 1
            yield tag, offset, 0
            continue
        if offset + 3 > limit:
            raise Malformed("a tag without room for its length", tag, offset)
        length = u16(data, offset + 1)
        if offset + 3 + length > limit:
            raise Malformed("length %d runs past its container" % length, tag, offset)
        if known:
            if seen >> tag & 1:
                raise Malformed("%s appears twice" % HEADER_NAMES[tag], tag, offset)
            seen |= 1 << tag
        offset += 3
        yield tag, offset, length
        if tag in CONTAINERS:
            outer.append((container, limit))
            container = tag
            limit = offset + length
        else:
            offset += length


def record_tlvs(data, start):
    """Yields (tag, offset of the value, length of the value) for all TLVs of the records of a trust list, from `start` (the
    header's length) to the end of the file.

    Each record begins with tag 1. Unknown tags are yielded too and may repeat (P5). Raises Malformed."""
    size = len(data)
    offset = start
    while offset < size:
        record = offset
        if data[offset] != 1:
            raise Malformed("a record must start with RECORDLENGTH (tag 1)", data[offset], offset)
        if offset + 5 > size:
            raise Malformed("the file ends inside a record's length", 1, offset)
        if u16(data, offset + 1) != 2:
            raise Malformed("RECORDLENGTH must be two bytes", 1, offset)
        end = record + u16(data, offset + 3)
        if end < record + 5:
            raise Malformed("a record shorter than its own length field", 1, record)
        if end > size:
            raise Malformed("a record of %d bytes runs past the file" % (end - record), 1, record)
        yield 1, offset + 3, 2
        offset += 5
        seen = 2  # a bit for each known tag; RECORDLENGTH is set
        while offset < end:
            tag = data[offset]
            if offset + 3 > end:
                raise Malformed("a tag without room for its length", tag, offset)
            length = u16(data, offset + 1)
            if offset + 3 + length > end:
                raise Malformed("length %d runs past its record" % length, tag, offset)
            if tag in RECORD_NAMES:
                if seen >> tag & 1:
                    raise Malformed("%s appears twice in a record" % RECORD_NAMES[tag], tag, offset)
                seen |= 1 << tag
            yield tag, offset + 3, length
            offset += 3 + length


def text(data, tag, offset, length):
    """The text of a value, without its NUL. The value must be UTF-8 with a single NUL, at its end (P3). offset, length: of the
    value. Raises Malformed (offset of the TLV)."""
    check_text(data, tag, offset, length)
    return str(bytes(data[offset : offset + length - 1]), "utf-8")


def check_text(data, tag, offset, length):
    """Check what text() checks, but make no copy if `data` is a memoryview, because a value may have 64 KB."""
    end = offset + length - 1
    if length == 0 or data[end] != 0:
        raise Malformed("text without its NUL", tag, offset - 3)
    raw = data[offset:end]
    for byte in raw:
        if byte == 0:
            raise Malformed("text with a NUL inside", tag, offset - 3)
    if not is_utf8(raw):
        raise Malformed("text that is not UTF-8", tag, offset - 3)


def is_utf8(raw):
    """Whether bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).

    It is written by hand, because MicroPython's own decoder accepts some invalid bytes and both Pythons must agree."""
    left = 0
    low, high = 0x80, 0xBF  # the range of the next continuation byte
    for byte in raw:
        if left:
            if not low <= byte <= high:
                return False
            left -= 1
            low, high = 0x80, 0xBF
        elif byte < 0x80:
            continue
        elif 0xC2 <= byte <= 0xDF:
            left = 1
        elif 0xE0 <= byte <= 0xEF:
            left = 2
            low = 0xA0 if byte == 0xE0 else 0x80
            high = 0x9F if byte == 0xED else 0xBF
        elif 0xF0 <= byte <= 0xF4:
            left = 3
            low = 0x90 if byte == 0xF0 else 0x80
            high = 0x8F if byte == 0xF4 else 0xBF
        else:
            return False
    return left == 0
