# SPDX-License-Identifier: MIT
"""Walks over XML, as far as a phone's configuration needs it. MicroPython has no library for it.

It knows elements, attributes, character data, CDATA, comments, processing instructions and the entities that XML predefines.
It refuses a DTD, and entities that a document defines itself. Only the values that it yields are copied, and each has a
limit, because a document may fill the phone's buffer and memory has no room for a second copy."""

from agent.errors import Malformed
from agent.formats.tlv import is_utf8

DEPTH_LIMIT = 64
TEXT_LIMIT = 1024  # bytes of character data, or of an attribute's value; a longer text is yielded as ""
NAME_LIMIT = 128  # bytes
ATTRIBUTES_LIMIT = 32  # of one element
ENTITY_LIMIT = 16  # bytes of an entity, from its & to its ;

_BLANKS = b" \t\r\n"
_ENTITIES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_HEX = b"0123456789abcdefABCDEF"
_NAME_ENDS = b" \t\r\n/><\"'=&"  # bytes that a name cannot have


def elements(data, start=0, end=None):
    """Walk over data[start:end]. Yields (path, attributes, None) when an element starts, and (path, {}, text) when it ends.

    data: bytes or bytearray. path: relative to the root element, "" for the root. text: the element's own character data
    without blanks at its ends, "" if it has more than TEXT_LIMIT bytes. Raises Malformed; its offset counts from `start`."""
    walk = _Walk(data, start, len(data) if end is None else end)
    try:
        for found in walk.run():
            yield found
    except Malformed as error:
        error.offset -= start
        raise


class _Text:
    """Collects character data. More than TEXT_LIMIT bytes are checked but not kept."""

    def __init__(self, view):
        self._view = view
        self._kept = bytearray()
        self._size = 0

    def add(self, start, end):
        """Add these bytes of the document."""
        raw = self._view[start:end]
        if not is_utf8(raw):
            raise Malformed("text that is not UTF-8", None, start)
        self.put(raw)

    def put(self, raw):
        """Add UTF-8 bytes."""
        self._size += len(raw)
        if self._size > TEXT_LIMIT:
            self._kept = b""
        elif len(raw):
            self._kept.extend(raw)

    def value(self):
        """The text, "" if it was too long."""
        return str(self._kept, "utf-8")


class _Walk:
    """One walk. Offsets count from the start of `data`."""

    def __init__(self, data, start, end):
        self.data = data
        self.view = memoryview(data)
        self.start = start
        self.end = end
        self.open = []  # (name, _Text) of the open elements
        self.ended = False

    def run(self):
        at = self.start + 3 if self.data[self.start : self.start + 3] == b"\xef\xbb\xbf" else self.start
        while True:
            start = self.data.find(b"<", at, self.end)
            self.text(at, start if start >= 0 else self.end)
            if start < 0:
                break
            if self.is_at(start, b"<!--"):
                at = self.after(b"-->", start + 4, start)
            elif self.is_at(start, b"<![CDATA["):
                at = self.after(b"]]>", start + 9, start)
                if self.open:
                    self.open[-1][1].add(start + 9, at - 3)
            elif self.is_at(start, b"<?"):
                at = self.after(b"?>", start + 2, start)
            elif self.is_at(start, b"<!"):
                raise Malformed("a document type declaration, which a phone does not read", None, start)
            elif self.is_at(start, b"</"):
                at = self.end_tag(start)
                yield self.path(), {}, self.close()
            else:
                closed, attributes, at = self.start_tag(start)
                path = self.path()
                yield path, attributes, None
                if closed:
                    yield path, {}, self.close()
        if self.open:
            raise Malformed("the file ends inside <%s>" % self.open[-1][0], None, self.end)
        if not self.ended:
            raise Malformed("there is no element in it", None, self.start)

    def close(self):
        """End the innermost element. Returns its text."""
        text = self.open.pop()[1]
        self.ended = not self.open
        return text.value().strip()

    def path(self):
        return "/".join([level[0] for level in self.open[1:]])

    def is_at(self, at, what):
        end = at + len(what)
        return end <= self.end and self.data[at:end] == what

    def after(self, what, at, start):
        """The offset after the next `what`, from `at` on. start: the offset for the Malformed if there is none."""
        found = self.data.find(what, at, self.end)
        if found < 0:
            raise Malformed("markup without its end '%s'" % str(what, "utf-8"), None, start)
        return found + len(what)

    def skip(self, at, which, wanted):
        """The first offset from `at` on whose byte is in `which` (wanted: True) or is not (False), or the end."""
        while at < self.end and (self.data[at] in which) is not wanted:
            at += 1
        return at

    def name(self, at, end):
        if end - at > NAME_LIMIT or not is_utf8(self.view[at:end]):
            raise Malformed("a name that is not UTF-8 or longer than %d bytes" % NAME_LIMIT, None, at)
        return str(self.view[at:end], "utf-8")

    def text(self, at, end):
        """Character data between two tags."""
        if self.open:
            self.unescape(at, end, self.open[-1][1])
        elif self.skip(at, _BLANKS, False) < end:
            raise Malformed("text outside of the root element", None, at)

    def unescape(self, at, end, text):
        """Add character data with entities to a _Text."""
        while True:
            start = self.data.find(b"&", at, end)
            if start < 0:
                text.add(at, end)
                return
            text.add(at, start)
            stop = self.data.find(b";", start, min(end, start + ENTITY_LIMIT))
            name = bytes(self.view[start + 1 : stop]) if stop > 0 else b""
            if name in _ENTITIES:
                text.put(_ENTITIES[name])
            elif name[:1] == b"#":
                text.put(_character(name[1:], start))
            else:
                raise Malformed("'&' does not start a known entity", None, start)
            at = stop + 1

    def end_tag(self, start):
        """Read an end tag, which must close the innermost open element. Returns the offset after it."""
        stop = self.skip(start + 2, _NAME_ENDS, True)
        name = self.name(start + 2, stop)
        if not self.open or self.open[-1][0] != name:
            raise Malformed("</%s> closes an element that is not open" % name, None, start)
        stop = self.skip(stop, _BLANKS, False)
        if not self.is_at(stop, b">"):
            raise Malformed("a malformed end tag", None, start)
        return stop + 1

    def start_tag(self, start):
        """Read a start tag and open its element. Returns (whether the tag closes itself, attributes, offset after it)."""
        if self.ended:
            raise Malformed("a second root element", None, start)
        at = self.skip(start + 1, _NAME_ENDS, True)
        name = self.name(start + 1, at)
        if not name:
            raise Malformed("'<' does not start an element", None, start)
        if len(self.open) == DEPTH_LIMIT:
            raise Malformed("elements nested more than %d deep" % DEPTH_LIMIT, None, start)
        attributes = {}
        while True:
            blank = at
            at = self.skip(at, _BLANKS, False)
            for ending in (b">", b"/>"):
                if self.is_at(at, ending):
                    self.open.append((name, _Text(self.view)))
                    return ending == b"/>", attributes, at + len(ending)
            if at == blank or len(attributes) == ATTRIBUTES_LIMIT:
                raise Malformed("a malformed start tag, or a tag with too many attributes", None, start)
            at = self.attribute(at, start, attributes)

    def attribute(self, at, start, attributes):
        """Read one attribute of the tag at `start`. Returns the offset after it."""
        equals = self.skip(at, _NAME_ENDS, True)
        key = self.name(at, equals)
        equals = self.skip(equals, _BLANKS, False)
        quote = self.skip(equals + 1, _BLANKS, False)
        mark = bytes(self.view[quote : quote + 1])
        close = -1
        if key and key not in attributes and self.is_at(equals, b"=") and mark in (b'"', b"'") and quote < self.end:
            close = self.data.find(mark, quote + 1, self.end)
        if close < 0 or self.data.find(b"<", quote, close) >= 0:
            raise Malformed("a malformed start tag", None, start)
        value = _Text(self.view)
        self.unescape(quote + 1, close, value)
        attributes[key] = value.value()
        return close + 1


def _character(digits, offset):
    """The UTF-8 bytes of a character reference. Raises Malformed."""
    base, allowed = (16, _HEX) if digits[:1] in (b"x", b"X") else (10, _HEX[:10])
    if base == 16:
        digits = digits[1:]
    if digits and all([digit in allowed for digit in digits]):
        code = int(str(digits, "utf-8"), base)
        if 0 < code < 0xD800 or 0xE000 <= code < 0x110000:
            return chr(code).encode()
    raise Malformed("a reference to a character that does not exist", None, offset)
