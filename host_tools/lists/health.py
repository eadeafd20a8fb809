# SPDX-License-Identifier: MIT
"""What is wrong with a trust list soon or already: certificates that expire, weak keys, a size near the limit.

Phones do not look at the dates of the certificates in their lists (docs/spec/rules.md), but servers, browsers and an
administrator's own processes do, and an administrator should have time to renew a certificate."""

import datetime

from agent.formats.trustlist import SIZE_LIMIT

#: Days for which a certificate should still be valid, by default.
DAYS = 90
#: Bits of an RSA and of an EC key below which it counts as weak.
SMALLEST_KEYS = {"RSA": 2048, "EC": 256}
#: Part of SIZE_LIMIT from which a list counts as close to it.
CLOSE = 0.9


def list_warnings(found, days=DAYS, now=None):
    """Sentences about the facts of one list, as host_tools.cli.inspect.describe() has them.

    days: certificates that expire within so many days are named. now: datetime in UTC, default: this moment."""
    close = size_warning(found["bytes"])
    warnings = [close] if close else []
    header = found["header"]
    if header["signature_bits"] < SMALLEST_KEYS["RSA"]:
        warnings.append(f"The list is signed with a weak key of {header['signature_bits']} bits.")
    if header["digest_algorithm"] == "sha1":
        warnings.append("The list is signed with SHA-1, which phones that refuse weak signatures do not take.")
    for number, record in enumerate(found.get("records", ()), 1):
        if not record.get("empty"):
            warnings += [f"Record {number}, {record['role']}, {text}" for text in _of_record(record, days, now)]
    return warnings


def size_warning(size):
    """A sentence about a list of so many bytes, None where it is far from the limit."""
    if size > SIZE_LIMIT:
        return f"The list has {size} bytes, phones refuse more than {SIZE_LIMIT} (too-large)."
    if size >= CLOSE * SIZE_LIMIT:
        return f"The list has {size} bytes: only {SIZE_LIMIT - size} more and phones refuse it (too-large)."
    return None


def _of_record(record, days, now):
    kind, _, bits = record["key"].partition(" ")
    if kind in SMALLEST_KEYS and int(bits) < SMALLEST_KEYS[kind]:
        yield f"has a weak key: {record['key']} bits."
    left = days_left(record["not_after"], now)
    if left is None:
        yield "has no date that can be read."
    elif left < 0:
        yield f"expired {-left} days ago."
    elif left <= days:
        yield f"expires in {left} days."


def days_left(not_after, now=None):
    """Whole days until "YYYYMMDDhhmmss..." in UTC, negative afterwards; None where the text is no date."""
    now = now or datetime.datetime.now(datetime.UTC)
    try:
        end = datetime.datetime.strptime(not_after[:14], "%Y%m%d%H%M%S").replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
    return (end - now).days
