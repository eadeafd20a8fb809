# SPDX-License-Identifier: MIT
"""Reads and writes U-Boot's environment, which the card has in two copies that take turns (U-Boot: include/env_internal.h).

    CRC-32 of the words:4, little-endian   counter:1   words: NAME=VALUE NUL ... NUL, zeros to the end

The copy with the higher counter counts, if its CRC is right; 0 comes after 255.
"""

import binascii
import struct

#: Bytes of each copy. U-Boot's own configuration (host_tools/image/uboot/fragment.config) has the same number.
SIZE = 0x4000
_PREFIX = 5


def decode(data):
    """(counter, {name: value}) of one copy (SIZE bytes), or None if its CRC is wrong."""
    data = memoryview(data)
    if binascii.crc32(data[_PREFIX:]) & 0xFFFFFFFF != struct.unpack_from("<I", data, 0)[0]:
        return None
    words = {}
    for word in bytes(data[_PREFIX:]).split(b"\0"):
        if not word:
            break
        name, sign, value = word.partition(b"=")
        if sign:
            try:
                words[name.decode()] = value.decode()
            except UnicodeError:
                pass  # this program writes no such word
    return data[4], words


def encode(counter, words):
    """The SIZE bytes of a copy with `words` ({name: value}). Raises ValueError if they do not fit, or if a name or value is not
    possible in an environment."""
    parts = []
    for name in sorted(words):
        if not name or "=" in name or "\0" in name + words[name]:
            raise ValueError("not a word of an environment: " + repr(name))
        parts.append(("%s=%s\0" % (name, words[name])).encode())
    text = b"".join(parts) + b"\0"
    if len(text) > SIZE - _PREFIX:
        raise ValueError("the environment has room for %d bytes, not %d" % (SIZE - _PREFIX, len(text)))
    text += bytes(SIZE - _PREFIX - len(text))
    return struct.pack("<IB", binascii.crc32(text) & 0xFFFFFFFF, counter) + text


def newest(copies):
    """The index of the copy that counts; None if neither is whole. copies: the results of decode() for both copies."""
    first, second = copies
    if first is None or second is None:
        return 0 if first is not None else 1 if second is not None else None
    if (first[0], second[0]) == (255, 0):
        return 1
    if (first[0], second[0]) == (0, 255):
        return 0
    return 0 if first[0] >= second[0] else 1
