# SPDX-License-Identifier: MIT
"""Reads JSON (RFC 8259) strictly, for files that people edit. Every mistake is an error that names its line and column.

MicroPython's own json module accepts missing commas and unclosed braces, keeps the last of two equal keys, and nests until
the stack is full. A setting that is lost in this way may leave a phone less safe than its owner wanted."""

DEPTH_LIMIT = 16
NUMBER_LIMIT = 40  # characters of one number

_BLANKS = b" \t\n\r"
_DIGITS = b"0123456789"
_ESCAPES = {b'"': '"', b"\\": "\\", b"/": "/", b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t"}
_WORDS = ((b"true", True), (b"false", False), (b"null", None))
_MARK = b"\xef\xbb\xbf"  # the byte order mark, which some editors put in front


class JsonError(ValueError):
    """The text is not JSON. str(): what is wrong, with line and column. line, column: numbers from 1; a column counts
    characters."""

    def __init__(self, what, data, at):
        before = str(data[:at], "utf-8")
        self.line = before.count("\n") + 1
        self.column = len(before) - before.rfind("\n")
        super().__init__("line %d, column %d: %s" % (self.line, self.column, what))


def loads(text):
    """The value of a JSON text (str): dict, list, str, int, float, bool or None. Raises JsonError."""
    try:
        data = text.encode("utf-8")
    except UnicodeError:
        raise JsonError("half of a character", b"", 0) from None
    reader = _Reader(data)
    reader.blanks()
    value = reader.value(0)
    reader.blanks()
    if reader.at < len(data):
        raise reader.error("something follows after the end")
    return value


class _Reader:
    """Reads bytes instead of text, because MicroPython counts from the start of a text to find a character."""

    def __init__(self, data):
        self.data = data
        self.at = len(_MARK) if data[: len(_MARK)] == _MARK else 0

    def error(self, what, at=None):
        """A JsonError about the offset `at`, or about the current place if it is None."""
        return JsonError(what, self.data, self.at if at is None else at)

    def next(self):
        """The next byte as bytes; b"" at the end."""
        return self.data[self.at : self.at + 1]

    def blanks(self):
        """Skip blanks."""
        while self.at < len(self.data) and self.data[self.at] in _BLANKS:
            self.at += 1

    def value(self, depth):
        """The value that starts here."""
        first = self.next()
        if depth > DEPTH_LIMIT:
            raise self.error("nested more than %d deep" % DEPTH_LIMIT)
        if first == b"{":
            return self._object(depth)
        if first == b"[":
            return self._list(depth)
        if first == b'"':
            return self._string()
        if first and first in _DIGITS + b"-":
            return self._number()
        for word, value in _WORDS:
            if self.data[self.at : self.at + len(word)] == word:
                self.at += len(word)
                return value
        raise self.error("a value is missing" if first in (b"", b",", b"}", b"]") else "this is not a value of JSON")

    def _object(self, depth):
        start = self.at
        found = {}
        self.at += 1
        self.blanks()
        if self.next() == b"}":
            self.at += 1
            return found
        while True:
            if self.next() != b'"':
                raise self._unclosed("a key in double quotes", start, "{")
            at = self.at
            key = self._string()
            if key in found:
                raise self.error("the key '%s' appears twice" % key, at)
            self.blanks()
            if self.next() != b":":
                raise self.error("a colon is missing after the key '%s'" % key)
            self.at += 1
            self.blanks()
            found[key] = self.value(depth + 1)
            if self._ends(b"}", start, "{"):
                return found

    def _list(self, depth):
        start = self.at
        found = []
        self.at += 1
        self.blanks()
        if self.next() == b"]":
            self.at += 1
            return found
        while True:
            found.append(self.value(depth + 1))
            if self._ends(b"]", start, "["):
                return found

    def _ends(self, closing, start, opening):
        """After a value: True if `closing` follows and was read, False if a comma leads to the next value."""
        self.blanks()
        following = self.next()
        if following == closing:
            self.at += 1
            return True
        if following != b",":
            raise self._unclosed("a comma or '%s'" % str(closing, "utf-8"), start, opening)
        self.at += 1
        self.blanks()
        if self.next() == closing:
            raise self.error("nothing follows the comma before '%s'" % str(closing, "utf-8"))
        return False

    def _unclosed(self, wanted, start, opening):
        if self.at >= len(self.data):
            where = JsonError("", self.data, start)
            what = "the text ends, and '%s' of line %d, column %d is not closed" % (opening, where.line, where.column)
            return self.error(what)
        return self.error("%s is missing" % wanted)

    def _string(self):
        start = self.at
        self.at += 1
        parts = []
        plain = self.at  # offset of the first byte that is not in `parts` yet
        while True:
            letter = self.next()
            if not letter:
                raise self.error("the text has no closing quote", start)
            if letter < b" ":
                raise self.error("the text has a control character, or its closing quote is missing")
            if letter in b'"\\':
                parts.append(str(self.data[plain : self.at], "utf-8"))
            self.at += 1
            if letter == b'"':
                return "".join(parts)
            if letter == b"\\":
                parts.append(self._escape())
                plain = self.at

    def _escape(self):
        letter = self.next()
        self.at += 1
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        start = self.at - 2
        if letter != b"u":
            raise self.error("an escape that JSON does not have", start)
        code = self._four_digits(start)
        if 0xD800 <= code < 0xDC00 and self.data[self.at : self.at + 2] == b"\\u":
            self.at += 2
            low = self._four_digits(start)
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00)
        if 0xD800 <= code < 0xE000:
            raise self.error("half of a character", start)
        return chr(code)

    def _four_digits(self, start):
        digits = self.data[self.at : self.at + 4]
        if len(digits) != 4 or not all([digit in _DIGITS + b"abcdefABCDEF" for digit in digits]):
            raise self.error("\\u without four hexadecimal digits", start)
        self.at += 4
        return int(str(digits, "utf-8"), 16)

    def _number(self):
        start = self.at
        if self.next() == b"-":
            self.at += 1
        first = self.at
        whole = self._digits(start)
        if whole > 1 and self.data[first : first + 1] == b"0":
            raise self.error("a number with a zero in front", start)
        is_whole = True
        if self.next() == b".":
            self.at += 1
            self._digits(start)
            is_whole = False
        if self.next() in (b"e", b"E"):
            self.at += 1
            if self.next() in (b"+", b"-"):
                self.at += 1
            self._digits(start)
            is_whole = False
        number = str(self.data[start : self.at], "utf-8")
        if len(number) > NUMBER_LIMIT:
            raise self.error("a number of more than %d characters" % NUMBER_LIMIT, start)
        return int(number) if is_whole else float(number)

    def _digits(self, start):
        """Skip at least one digit. Returns the number of digits."""
        first = self.at
        while self.next() and self.next() in _DIGITS:
            self.at += 1
        if self.at == first:
            raise self.error("a number in which a digit is missing", start)
        return self.at - first
