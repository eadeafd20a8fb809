# SPDX-License-Identifier: MIT
"""Reads the requests of the service for other programs: a line is a request (docs/service.md)."""

import json

LINE_LIMIT = 16384  # bytes of a request; a certificate in base64 has 2 to 4 KB
NAME_LIMIT = 250  # bytes of a file's name
IDENTIFIER_LIMIT = 64  # characters of an id

_SHAPE = 'a request is one JSON object a line, in UTF-8, such as {"id": 1, "do": "status"}'


class Busy(ValueError):
    """The service cannot do more of these at once; the program can ask again. str(): a sentence."""

    reason = "busy"


def parse(line):
    """The request in a line (bytes without its end), a dictionary with at least "do". Raises ValueError, which says what is
    wrong."""
    if len(line) > LINE_LIMIT:
        raise ValueError(too_long())
    try:
        request = json.loads(str(line, "utf-8"))
    except (ValueError, RuntimeError, MemoryError):  # RuntimeError: nested too deeply
        request = None
    if not isinstance(request, dict) or not isinstance(request.get("do"), str):
        raise ValueError(_SHAPE)
    identifier = request.get("id")
    if isinstance(identifier, str):
        good = len(identifier) <= IDENTIFIER_LIMIT and is_plain(identifier)
    else:
        good = identifier is None or isinstance(identifier, int) and abs(identifier) < 1 << 53
    if not good:
        raise ValueError(
            "an id is a whole number below 2 to the power of 53, or text of up to %d characters" % IDENTIFIER_LIMIT
        )
    return request


def too_long():
    """The sentence for a line over LINE_LIMIT."""
    return "a request has at most %d bytes" % LINE_LIMIT


def file_name(request):
    """The name of the file that a request asks for. Raises ValueError if there is no usable name."""
    name = request.get("name")
    if not isinstance(name, str) or not is_plain(name) or not 0 < len(name.encode()) <= NAME_LIMIT:
        raise ValueError("name must be a file's name on the server, at most %d bytes" % NAME_LIMIT)
    return name


def is_plain(text):
    """Whether the text has no control characters and no lone surrogates, which JSON can write."""
    return all(
        [not (ord(letter) < 32 or 127 <= ord(letter) < 160 or 0xD800 <= ord(letter) < 0xE000) for letter in text]
    )
