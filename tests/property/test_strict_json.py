# SPDX-License-Identifier: MIT
"""The strict reader of JSON beside CPython's: both read the same, and a text that only one of them reads has a known reason."""

import json

from hypothesis import given
from hypothesis import strategies as st

from agent.formats import strict_json

TEXT = '{"mac": "00270DC01C92", "tftp": ["192.0.2.10", "[::1]:69"], "refuse_weak": true, "n": -1.5e3, "x": {"\\u00eb": null}}'
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


class Twice(Exception):
    """A key stands there twice."""


def unique(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise Twice
    return dict(pairs)


def theirs(text):
    """CPython's value in a list, None where it is none, or a key stands there twice, or half a character does."""
    try:
        value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=unique, parse_constant=lambda _: 1 / 0)
        json.dumps(value, ensure_ascii=False).encode()
        return [value]
    except (ValueError, Twice, ZeroDivisionError):
        return None


def ours(text):
    try:
        return [strict_json.loads(text)]
    except strict_json.JsonError:
        return None


@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_what_cpython_writes_is_read(value, escapes, indent):
    assert strict_json.loads(json.dumps(value, ensure_ascii=escapes, indent=indent)) == value


@given(st.data())
def test_damaged_text_is_read_as_cpython_reads_it(data):
    text = list(TEXT)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.text(st.sampled_from('{}[],:"\\u0 1-.eEtn\n\x01'), max_size=3)
        )
    text = "".join(text)
    assert ours(text) == theirs(text)


@given(st.text(max_size=20) | st.text(st.sampled_from('{}[],:"\\/u0d8 19-+.eEtruefalsn\n'), max_size=20))
def test_any_text(text):
    assert ours(text) == theirs(text)
