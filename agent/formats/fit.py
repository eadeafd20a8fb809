# SPDX-License-Identifier: MIT
"""Reads properties of a boot image. It is U-Boot's FIT, a flattened device tree (devicetree.org, specification 0.4, chapter 5).

An image is far larger than a phone's memory, so it is read through a function, piece by piece. No signature is checked here:
the phone has checked the load's signature before, and the boot loader checks the image's own.
"""

import struct

from agent.errors import Malformed

MAGIC = 0xD00DFEED
HEADER_SIZE = 40
#: Bounds for memory. An image of this project has some 40 properties, at most two levels below the root. Limits are bytes,
#: except PROPERTIES_LIMIT and DEPTH_LIMIT.
PROPERTIES_LIMIT = 128
DEPTH_LIMIT = 8
NAME_LIMIT = 64
TEXT_LIMIT = 256
STRINGS_LIMIT = 4096

_BEGIN_NODE, _END_NODE, _PROPERTY, _NOP, _END = 1, 2, 3, 4, 9
_VERSION = 17

#: Properties of the root that say what the image is. FORMAT is a number; docs/update.md describes format 1.
BOARD = "/phonetrust,board"
VERSION = "/phonetrust,version"
FORMAT = "/phonetrust,format"
NAME = "/description"
THIS_FORMAT = 1


class Fit:
    """The properties of an image. properties: {"/path/name": (offset, length)}.

    read(offset, count) returns bytes of the image. size: its bytes; what follows them does not count."""

    def __init__(self, read, size):
        """Raises Malformed if the bytes are not such an image, or if the image does not have exactly `size` bytes."""
        self._read = read
        self._size = size
        self.properties = {}
        if size < HEADER_SIZE:
            raise Malformed("the boot image has %d bytes, its header alone needs %d" % (size, HEADER_SIZE), None, 0)
        fields = struct.unpack(">10I", read(0, HEADER_SIZE))
        magic, total, structure, strings, _, version, oldest, _, strings_size, structure_size = fields
        if magic != MAGIC:
            raise Malformed("this is not a boot image: it does not begin with the number of a device tree", None, 0)
        if total != size:
            raise Malformed("the boot image says that it has %d bytes, but there are %d" % (total, size), None, 4)
        if version < _VERSION or oldest > _VERSION:
            raise Malformed("the boot image is of version %d (oldest reader %d)" % (version, oldest), None, 20)
        if structure & 3 or structure < HEADER_SIZE or structure_size > size or structure > size - structure_size:
            raise Malformed("the structure block runs past the boot image", None, 8)
        if strings < HEADER_SIZE or strings_size > size or strings > size - strings_size:
            raise Malformed("the strings block runs past the boot image", None, 12)
        if strings_size > STRINGS_LIMIT:
            raise Malformed("%d bytes of names (the limit is %d)" % (strings_size, STRINGS_LIMIT), None, 32)
        self._strings = bytes(read(strings, strings_size))
        self._walk(structure, structure + structure_size)
        self._strings = None

    def text(self, path):
        """A property as text, or None if there is no such property. Raises Malformed if it is not text, or has more than
        TEXT_LIMIT bytes."""
        found = self.properties.get(path)
        if found is None:
            return None
        offset, length = found
        if not 0 < length <= TEXT_LIMIT:
            raise Malformed("%s has %d bytes" % (path, length), None, offset)
        value = bytes(self._read(offset, length))
        if value.find(b"\0") != length - 1:
            raise Malformed("%s is not a text that ends in NUL" % path, None, offset)
        try:
            return value[:-1].decode()
        except UnicodeError:
            raise Malformed("%s is not UTF-8" % path, None, offset)

    def number(self, path):
        """A property of four bytes as a number, or None if there is no such property. Raises Malformed for another size."""
        found = self.properties.get(path)
        if found is None:
            return None
        offset, length = found
        if length != 4:
            raise Malformed("%s must be 4 bytes, not %d" % (path, length), None, offset)
        return struct.unpack(">I", self._read(offset, 4))[0]

    def _walk(self, at, end):
        path = []
        ended = False
        while at < end:
            token = self._word(at, end)
            start, at = at, at + 4
            if token == _NOP:
                continue
            if ended:
                raise Malformed("there is more behind the root of the boot image", None, start)
            if token == _BEGIN_NODE:
                name = self._node_name(at, end)
                if not path and name or path and not name or len(path) == DEPTH_LIMIT:
                    raise Malformed("a node of this name cannot stand here", None, start)
                at += (len(name) + 4) & ~3  # the name, its NUL, and padding up to the next word
                path.append(name)
            elif token == _END_NODE and path:
                path.pop()
                if not path:
                    ended = True
                    if self._word(at, end) != _END:
                        raise Malformed("the boot image has no end", None, at)
                    return
            elif token == _PROPERTY and path:
                length, name = self._word(at, end), self._word(at + 4, end)
                at += 8
                if length > end - at:
                    raise Malformed("a property runs past its block", None, start)
                self._keep("%s/%s" % ("/".join(path), self._name(name, start)), at, length)
                at += (length + 3) & ~3
            else:
                raise Malformed("the number %d where a node or property is due" % token, None, start)
        raise Malformed("the boot image ends inside a node", None, end)

    def _keep(self, path, offset, length):
        if path in self.properties:
            raise Malformed("%s appears twice" % path, None, offset)
        if len(self.properties) == PROPERTIES_LIMIT:
            raise Malformed("more than %d properties" % PROPERTIES_LIMIT, None, offset)
        self.properties[path] = (offset, length)

    def _word(self, at, end):
        if at + 4 > end:
            raise Malformed("the boot image ends inside a number", None, at)
        return struct.unpack(">I", self._read(at, 4))[0]

    def _node_name(self, at, end):
        data = bytes(self._read(at, min(NAME_LIMIT, end - at)))
        return _text(data, 0, at)

    def _name(self, offset, at):
        if offset >= len(self._strings):
            raise Malformed("a property's name lies outside of the strings block", None, at)
        return _text(self._strings[offset : offset + NAME_LIMIT], 0, at)


def _text(data, start, at):
    stop = data.find(b"\0", start)
    if stop < 0:
        raise Malformed("a name without an end", None, at)
    try:
        name = data[start:stop].decode()
    except UnicodeError:
        raise Malformed("a name that is not UTF-8", None, at)
    if "/" in name:
        raise Malformed("a name with a slash in it", None, at)
    return name
