# SPDX-License-Identifier: MIT
"""Makes JSON text in pieces, because a phone's status has many kilobytes and the heap may have no room for them in one
piece."""

import json


def pieces(value, depth=3):
    """Yields the text of json.dumps(value) in pieces. Objects and lists are taken apart down to `depth` levels."""
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
