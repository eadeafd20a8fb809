# SPDX-License-Identifier: MIT
"""A mapping from a file, as dataclasses. A misspelt or missing key is an error that names file and key."""

import dataclasses
import difflib
import types
import typing

from host_tools.image.errors import ImageError


def fill(kind, values, where):
    """Make a `kind` (a dataclass) of a mapping. `where` is the file, then the keys down to here, for messages.

    Every field without a default must be there, and no unknown key. Raises ImageError.
    """
    if not isinstance(values, dict):
        raise ImageError(f"{where}: must be a table of keys, not {_kind_name(values)}")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in values:
        if key not in fields:
            raise ImageError(f"{where}: unknown key '{key}'{suggestion(key, fields)}")
    hints = typing.get_type_hints(kind)
    filled = {}
    for name, field in fields.items():
        if name in values:
            filled[name] = _checked(hints[name], values[name], f"{where}: key '{name}'")
        elif field.default is dataclasses.MISSING:
            raise ImageError(f"{where}: key '{name}' is missing")
    return kind(**filled)


def suggestion(key, known):
    """'; did you mean X?' for the nearest known key, else the list of them."""
    near = difflib.get_close_matches(key, list(known), 1)
    return f"; did you mean '{near[0]}'?" if near else f"; known here: {', '.join(sorted(known))}"


def _checked(kind, value, where):
    if isinstance(kind, types.UnionType):  # `Section | None`: a section that may be left out
        kind = kind.__args__[0]
    if dataclasses.is_dataclass(kind):
        return fill(kind, value, where)
    if kind == list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ImageError(f"{where}: must be a list of texts, not {value!r}")
        return value
    if type(value) is not kind:
        raise ImageError(f"{where}: must be {_KINDS[kind]}, not {value!r}")
    return value


_KINDS = {str: "a text", int: "a whole number", bool: "true or false"}


def _kind_name(value):
    return _KINDS.get(type(value), repr(value))
