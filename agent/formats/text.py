# SPDX-License-Identifier: MIT
"""Makes text safe for a person to read: it replaces characters that control a terminal or change the reading order
(docs/spec/formats.md, N6). It also writes times."""

import re

#: How many characters of one name, and of several sentences, are shown to a person.
SHOWN_LIMIT = 200
SENTENCES_LIMIT = 2000

# Arabic letter mark, left-to-right mark, right-to-left mark, line separator, paragraph separator.
_MARKS = (0x061C, 0x200E, 0x200F, 0x2028, 0x2029)
_RANGES = ((0x00, 0x1F), (0x7F, 0x9F), (0x202A, 0x202E), (0x2066, 0x2069), (0xD800, 0xDFFF))
_REST = re.compile("[^ -~]")


def shown(text, limit=SHOWN_LIMIT):
    """`text` in a form that is safe to show. Control characters (C0, DEL, C1), line and paragraph separators, bidirectional
    marks and lone surrogates become "?". A text of more than `limit` characters is cut and ends in "..."."""
    if len(text) > limit:
        text = text[:limit] + "..."
    if is_plain(text) or not any([_unfit(ord(letter)) for letter in text]):
        return text
    return "".join(["?" if _unfit(ord(letter)) else letter for letter in text])


def is_plain(text):
    """Whether all of `text` is printable ASCII. This is the common case, and is faster than a loop over the letters."""
    return _REST.search(text) is None


def shown_value(value):
    """The value with shown() applied to all of its texts. value: ready for JSON (dictionaries, lists, texts, numbers, None)."""
    if isinstance(value, str):
        return shown(value, SENTENCES_LIMIT)
    if isinstance(value, dict):
        return {shown(key): shown_value(value[key]) for key in value}
    if isinstance(value, (list, tuple)):
        return [shown_value(item) for item in value]
    return value


def _unfit(code):
    if 0x20 <= code < 0x7F:
        return False
    if code in _MARKS:
        return True
    for first, last in _RANGES:
        if first <= code <= last:
            return True
    return False


def utc(seconds):
    """Seconds since 1970 as "2026-01-31 12:00:00 UTC". It is written by hand, because the two Pythons count time from different
    years."""
    days, rest = seconds // 86400, seconds % 86400
    # Years begin in March here, so that the leap day comes last. The Gregorian calendar repeats every 400 years.
    days += 719468
    era, day = days // 146097, days % 146097
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    month = month + 3 if month < 10 else month - 9
    year += era * 400 + (1 if month < 3 else 0)
    return "%04d-%02d-%02d %02d:%02d:%02d UTC" % (year, month, day + 1, rest // 3600, rest // 60 % 60, rest % 60)
