# SPDX-License-Identifier: MIT
"""The few settings that the trust agent reads from a phone's configuration (spec/trust-files.md, last section).

MicroPython has no XML library, so this walks the markup itself: elements, character data, CDATA and the entities that
XML predefines; no DTD, no entity of a document's own. Everything else in the file belongs to the phone's other programs."""

from agent.errors import Malformed
from agent.tlv import is_utf8

#: Most TVS servers that are read; a cluster writes up to 5.
TVS_LIMIT = 5
DEPTH_LIMIT = 64
TEXT_LIMIT = 1024  # bytes of a value that is read here; longer ones are somebody else's

_MEMBER = "TVS/members/member"
_CAPF = "capfList/capf"
_BLANKS = b" \t\r\n"
_ENTITIES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
LONGEST_ENTITY = 16  # bytes from its & to its ;
_HEX = b"0123456789abcdefABCDEF"
_NAME_ENDS = b" \t\r\n/><\"'=&"  # what a name cannot have in it


class PhoneConfig:
    """What was read. tvs: [(host, port)], the lower priority number first, up to 5. capf: (host, port) or None.
    capf_auth_mode: 0..4 or None. encrypted: the file that counts is `.enc.sgn`. full: this is the whole configuration.
    certificate_hash: text. security_mode: 1 none, 2 authenticated, 3 encrypted, or None. notes: sentences about values
    that were passed over."""

    def __init__(self, data):
        """Read `data` (bytes or memoryview). Raises Malformed (offset) where it is not well-formed markup."""
        self.tvs = []
        self.capf = None
        self.capf_auth_mode = None
        self.encrypted = False
        self.full = True
        self.certificate_hash = ""
        self.security_mode = None
        self.notes = []
        members = []
        member = capf = None
        for path, attributes, text in elements(data):
            if text is None:  # an element starts
                if path == _MEMBER:
                    member = [_number(attributes.get("priority", "0")), len(members), None, 2445]
                elif path == _CAPF:
                    capf = [None, 3804]
            elif path == _MEMBER and member is not None:
                if len(members) < 64:  # a bound for memory; clusters write at most 5
                    members.append(member)
                member = None
            elif path == _CAPF and capf is not None:
                if self.capf is None and capf[0] and capf[1]:
                    self.capf = (capf[0], capf[1])
                capf = None
            elif member is not None and path == _MEMBER + "/address":
                member[2] = text
            elif member is not None and path == _MEMBER + "/port":
                member[3] = self._port(text, path)
            elif capf is not None and path == _CAPF + "/processNodeName":
                capf[0] = text
            elif capf is not None and path == _CAPF + "/phonePort":
                capf[1] = self._port(text, path)
            else:
                self._setting(path, text)
        members.sort(key=lambda found: (found[0] is None, found[0] or 0, found[1]))  # no number: last
        for _, _, host, port in members:
            if host and port and (host, port) not in self.tvs and len(self.tvs) < TVS_LIMIT:
                self.tvs.append((host, port))

    def _setting(self, path, text):
        if path == "fullConfig":
            self.full = text.lower() != "false"
        elif path == "encrConfig":
            self.encrypted = text.lower() == "true"
        elif path == "certHash":
            self.certificate_hash = text
        elif path == "capfAuthMode":
            self.capf_auth_mode = self._choice(text, path, 0, 4)
        elif path == "deviceSecurityMode":
            self.security_mode = self._choice(text, path, 1, 3)

    def _choice(self, text, path, low, high):
        number = _number(text)
        if number is None or not low <= number <= high:
            self.notes.append("%s is '%s', not %d to %d; it was passed over." % (path, text[:32], low, high))
            return None
        return number

    def _port(self, text, path):
        return self._choice(text, path, 1, 65535)


def _number(text):
    text = text.strip()
    if not text or len(text) > 9 or not all("0" <= letter <= "9" for letter in text):
        return None
    return int(text)


def elements(data):
    """Walk XML: yields (path, attributes, None) where an element starts and (path, {}, text) where it ends.

    path is relative to the root element, "" for the root. text: its own character data, blanks at the ends removed,
    "" where it is longer than TEXT_LIMIT. Raises Malformed."""
    data = bytes(data) if not isinstance(data, (bytes, bytearray)) else data
    at = 3 if data[:3] == b"\xef\xbb\xbf" else 0
    stack = []  # (name, _Text) of the elements that are open
    ended = False
    while True:
        start = data.find(b"<", at)
        text = data[at : start if start >= 0 else len(data)]
        if stack:
            _unescape(text, at, stack[-1][1])
        elif text.strip(_BLANKS):
            raise Malformed("text outside of the root element", None, at)
        if start < 0:
            break
        if data[start : start + 4] == b"<!--":
            at = _after(data, b"-->", start + 4, start)
        elif data[start : start + 9] == b"<![CDATA[":
            at = _after(data, b"]]>", start + 9, start)
            if stack:
                stack[-1][1].add(data[start + 9 : at - 3], start)
        elif data[start : start + 2] == b"<?":
            at = _after(data, b"?>", start + 2, start)
        elif data[start : start + 2] == b"<!":
            raise Malformed("a document type declaration, which is not read here", None, start)
        elif data[start : start + 2] == b"</":
            at = _after(data, b">", start, start)
            name = _decode(data[start + 2 : at - 1].strip(_BLANKS), start)
            if not stack or stack[-1][0] != name:
                raise Malformed("</%s> closes an element that is not open" % name[:40], None, start)
            path = _path(stack)
            text = stack.pop()[1].value().strip()
            yield path, {}, text
            ended = not stack
        else:
            if ended:
                raise Malformed("a second root element", None, start)
            name, attributes, closed, at = _start_tag(data, start)
            if len(stack) == DEPTH_LIMIT:
                raise Malformed("elements nested more than %d deep" % DEPTH_LIMIT, None, start)
            stack.append((name, _Text()))
            path = _path(stack)
            yield path, attributes, None
            if closed:
                stack.pop()
                yield path, {}, ""
                ended = not stack
    if stack:
        raise Malformed("the file ends inside <%s>" % stack[-1][0][:40], None, len(data))
    if not ended:
        raise Malformed("there is no element in it", None, 0)


def _path(stack):
    return "/".join([level[0] for level in stack[1:]])


class _Text:
    """Character data as it is put together; more than TEXT_LIMIT bytes are checked but not kept."""

    def __init__(self):
        self._pieces = []
        self._size = 0

    def add(self, raw, offset):
        """Add UTF-8 bytes that stand at `offset`. Raises Malformed."""
        self._size += len(raw)
        if self._size > TEXT_LIMIT:
            self._pieces = []
            if not is_utf8(raw):
                raise _not_utf8(offset)
        elif len(raw):
            self._pieces.append(_decode(raw, offset))

    def value(self):
        """The text, "" where there was too much."""
        return "".join(self._pieces)


def _after(data, end, at, start):
    found = data.find(end, at)
    if found < 0:
        raise Malformed("markup without its end '%s'" % str(end, "ascii"), None, start)
    return found + len(end)


def _not_utf8(offset):
    return Malformed("text that is not UTF-8", None, offset)


def _decode(raw, offset):
    if not is_utf8(raw):
        raise _not_utf8(offset)
    return str(raw, "utf-8")


def _unescape(raw, offset, text):
    """Add character data with entities to a _Text. Raises Malformed."""
    at = 0
    while True:
        start = raw.find(b"&", at)
        if start < 0:
            text.add(raw[at:], offset + at)
            return
        text.add(raw[at:start], offset + at)
        end = raw.find(b";", start, start + LONGEST_ENTITY)
        name = bytes(raw[start + 1 : end]) if end > 0 else b""
        if name in _ENTITIES:
            text.add(_ENTITIES[name], offset + start)
        elif name[:1] == b"#":
            text.add(_character(name[1:], offset + start).encode(), offset + start)
        else:
            raise Malformed("'&' that starts no known entity", None, offset + start)
        at = end + 1


def _character(digits, offset):
    base, allowed = (16, _HEX) if digits[:1] in (b"x", b"X") else (10, _HEX[:10])
    if base == 16:
        digits = digits[1:]
    if digits and all([digit in allowed for digit in digits]):
        code = int(str(digits, "utf-8"), base)
        if 0 < code < 0xD800 or 0xE000 <= code < 0x110000:
            return chr(code)
    raise Malformed("a character reference to no character", None, offset)


def _skip(data, at, which, wanted):
    """The first offset from `at` whose byte is in `which` (or is not, as `wanted` says), or the end."""
    while at < len(data) and (data[at] in which) is not wanted:
        at += 1
    return at


def _start_tag(data, start):
    """(name, attributes, whether it closes itself, offset after it) of the start tag at `start`."""
    wrong = Malformed("a start tag that is not well-formed", None, start)
    end = _skip(data, start + 1, _NAME_ENDS, True)
    name = _decode(data[start + 1 : end], start)
    if not name:
        raise Malformed("'<' that starts no element", None, start)
    attributes = {}
    while True:
        before = end
        end = _skip(data, end, _BLANKS, False)
        if data[end : end + 1] == b">":
            return name, attributes, False, end + 1
        if data[end : end + 2] == b"/>":
            return name, attributes, True, end + 2
        equals = _skip(data, end, _NAME_ENDS, True)
        key = _decode(data[end:equals], end)
        equals = _skip(data, equals, _BLANKS, False)
        quote = _skip(data, equals + 1, _BLANKS, False)
        mark = data[quote : quote + 1]
        if (
            end == before
            or not key
            or key in attributes
            or data[equals : equals + 1] != b"="
            or mark not in (b'"', b"'")
        ):
            raise wrong
        close = data.find(mark, quote + 1)
        if close < 0 or b"<" in data[quote:close]:
            raise wrong
        value = _Text()
        _unescape(data[quote + 1 : close], quote + 1, value)
        attributes[key] = value.value()
        end = close + 1
