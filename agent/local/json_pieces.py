# SPDX-License-Identifier: MIT
"""JSON text in pieces: a phone's status has many kilobytes, and there may be no room for them in one part."""

import json


def pieces(value, depth=3):
    """The text of json.dumps(value), piece by piece: objects and lists `depth` levels deep are taken apart."""
    if depth and isinstance(value, dict):
        before = "{"
        for key in value:
            yield before + json.dumps(key) + ": "
            yield from pieces(value[key], depth - 1)
            before = ", "
        yield "}" if value else "{}"
    elif depth and isinstance(value, list):
        before = "["
        for item in value:
            yield before
            yield from pieces(item, depth - 1)
            before = ", "
        yield "]" if value else "[]"
    else:
        yield json.dumps(value)
