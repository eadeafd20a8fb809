# SPDX-License-Identifier: MIT
"""U-Boot's environment as it lies on the card, in two copies that take turns (U-Boot: include/env_internal.h).

    CRC-32 of the words:4, little-endian   counter:1   words: NAME=VALUE NUL ... NUL, zeros to the end

The copy with the higher counter counts, if its CRC fits; 0 comes after 255.
"""

import binascii
import struct

#: Bytes of each copy; U-Boot's own configuration (host_tools/image/uboot/fragment.config) says the same.
SIZE = 0x4000
_PREFIX = 5


def decode(data):
    """One copy -> (counter, {name: value}), or None where it is not whole."""
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
                pass  # none of ours
    return data[4], words


def encode(counter, words):
    """One copy of `words` ({name: value}). ValueError: they do not fit, or a text cannot stand there."""
    parts = []
    for name in sorted(words):
        if not name or "=" in name or "\0" in name + words[name]:
            raise ValueError("no word of an environment: " + repr(name))
        parts.append(("%s=%s\0" % (name, words[name])).encode())
    text = b"".join(parts) + b"\0"
    if len(text) > SIZE - _PREFIX:
        raise ValueError("the environment has room for %d bytes, not %d" % (SIZE - _PREFIX, len(text)))
    text += bytes(SIZE - _PREFIX - len(text))
    return struct.pack("<IB", binascii.crc32(text) & 0xFFFFFFFF, counter) + text


def newest(copies):
    """Index of the copy that counts, of a list of two that decode() gave; None where neither is whole."""
    first, second = copies
    if first is None or second is None:
        return 0 if first is not None else 1 if second is not None else None
    if (first[0], second[0]) == (255, 0):
        return 1
    if (first[0], second[0]) == (0, 255):
        return 0
    return 0 if first[0] >= second[0] else 1
