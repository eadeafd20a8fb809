# SPDX-License-Identifier: MIT
"""The few settings that the trust agent reads from a phone's configuration (spec/trust-files.md, last section).

MicroPython has no XML library, so this walks the markup itself: elements, character data, CDATA and the entities that
XML predefines; no DTD, no entity of a document's own. Everything else in the file belongs to the phone's other programs."""

from agent.errors import Malformed

#: Most TVS servers that are read; a cluster writes up to 5.
TVS_LIMIT = 5
DEPTH_LIMIT = 64
TEXT_LIMIT = 1024  # bytes of a value that is read here; longer ones are somebody else's

_MEMBER = "TVS/members/member"
_CAPF = "capfList/capf"
_BLANKS = b" \t\r\n"
_ENTITIES = {b"amp": "&", b"lt": "<", b"gt": ">", b"quot": '"', b"apos": "'"}


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
                if self.capf is None and capf[0]:
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
        members.sort(key=lambda found: (9999 if found[0] is None else found[0], found[1]))
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
    stack = []  # [name, pieces of text, their length]
    ended = False
    while True:
        start = data.find(b"<", at)
        text = data[at : start if start >= 0 else len(data)]
        if stack:
            _add_text(stack, _unescape(text, at))
        elif text.strip(_BLANKS):
            raise Malformed("text outside of the root element", None, at)
        if start < 0:
            break
        if data[start : start + 4] == b"<!--":
            at = _after(data, b"-->", start + 4, start)
        elif data[start : start + 9] == b"<![CDATA[":
            at = _after(data, b"]]>", start + 9, start)
            if stack:
                _add_text(stack, _decode(data[start + 9 : at - 3], start))
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
            text = "".join(stack.pop()[1]).strip()
            yield path, {}, text
            ended = not stack
        else:
            if ended:
                raise Malformed("a second root element", None, start)
            name, attributes, closed, at = _start_tag(data, start)
            if len(stack) == DEPTH_LIMIT:
                raise Malformed("elements nested more than %d deep" % DEPTH_LIMIT, None, start)
            stack.append([name, [], 0])
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


def _add_text(stack, text):
    level = stack[-1]
    level[2] += len(text)
    if level[2] > TEXT_LIMIT:
        level[1] = []
    else:
        level[1].append(text)


def _after(data, end, at, start):
    found = data.find(end, at)
    if found < 0:
        raise Malformed("markup without its end '%s'" % str(end, "ascii"), None, start)
    return found + len(end)


def _decode(raw, offset):
    try:
        return str(raw, "utf-8")
    except UnicodeError:
        raise Malformed("text that is not UTF-8", None, offset) from None


def _unescape(raw, offset):
    if b"&" not in raw:
        return _decode(raw, offset)
    out = ""
    at = 0
    while True:
        start = raw.find(b"&", at)
        if start < 0:
            return out + _decode(raw[at:], offset + at)
        out += _decode(raw[at:start], offset + at)
        end = raw.find(b";", start)
        name = bytes(raw[start + 1 : end]) if end > 0 else b""
        if name in _ENTITIES:
            out += _ENTITIES[name]
        elif name[:1] == b"#":
            out += _character(name[1:], offset + start)
        else:
            raise Malformed("'&' that starts no known entity", None, offset + start)
        at = end + 1


def _character(digits, offset):
    try:
        code = int(str(digits[1:], "ascii"), 16) if digits[:1] in (b"x", b"X") else int(str(digits, "ascii"))
        if 0 < code < 0xD800 or 0xE000 <= code < 0x110000:
            return chr(code)
    except ValueError:
        pass
    raise Malformed("a character reference to no character", None, offset)


def _start_tag(data, start):
    """(name, attributes, whether it closes itself, offset after it) of the start tag at `start`."""
    end = start + 1
    while end < len(data) and data[end] not in b" \t\r\n/>":
        end += 1
    name = _decode(data[start + 1 : end], start)
    if not name:
        raise Malformed("'<' that starts no element", None, start)
    attributes = {}
    while True:
        while end < len(data) and data[end] in _BLANKS:
            end += 1
        if data[end : end + 1] == b">":
            return name, attributes, False, end + 1
        if data[end : end + 2] == b"/>":
            return name, attributes, True, end + 2
        equals = data.find(b"=", end)
        quote = equals + 1
        while 0 < equals and quote < len(data) and data[quote] in _BLANKS:
            quote += 1
        mark = data[quote : quote + 1]
        close = data.find(mark, quote + 1) if equals > 0 and mark in (b'"', b"'") else -1
        if close < 0:
            raise Malformed("a start tag that is not well-formed", None, start)
        key = _decode(data[end:equals].strip(_BLANKS), end)
        attributes[key] = _unescape(data[quote + 1 : close], quote + 1)
        end = close + 1
