# SPDX-License-Identifier: MIT
"""Every field of a trust list, for `phonetrust inspect --full`: tag, name, place and size, and the value where it is short."""

from rich.markup import escape
from rich.table import Table

from agent.formats import tlv
from agent.formats.text import shown

_SHORT = 20  # bytes of a value that are shown
_TEXTS = (2, 3, 5)  # record tags whose values may be text


def record_fields(data, start):
    """[[field, ...], ...] of the records behind a header that ends at `start`; data is a list that TrustList could read."""
    records = []
    for tag, offset, length in tlv.record_tlvs(data, start):
        if tag == 1:
            records.append([])
        value = bytes(data[offset : offset + length])
        records[-1].append(
            {
                "tag": tag,
                "name": tlv.RECORD_NAMES.get(tag, "(unknown)"),
                "offset": offset,
                "length": length,
                "value": _value(tag, value),
            }
        )
    return records


def _value(tag, value):
    text = value.rstrip(b"\0")
    if tag in _TEXTS and text and all(0x20 <= byte < 0x7F for byte in text):
        return shown(text.decode(), 200)
    return value.hex() if len(value) <= _SHORT else value[:_SHORT].hex() + "..."


def show(found, console):
    """The header's fields and those of each record, as tables of at most 80 columns."""
    console.print("\nFields of the header")
    console.print(_table(found["header"]["tlvs"]))
    for number, record in enumerate(found.get("tlvs", ()), 1):
        console.print(f"\nFields of record {number}")
        console.print(_table(record))


def _table(fields):
    table = Table(box=None, pad_edge=False)
    for name in ("offset", "length", "tag"):
        table.add_column(name, justify="right")
    table.add_column("name")
    if any("value" in field for field in fields):
        table.add_column("value", overflow="fold")
    for field in fields:
        row = [str(field["offset"]), str(field["length"]), str(field["tag"]), escape(field["name"])]
        table.add_row(*row, *([escape(field["value"])] if "value" in field else []))
    return table
