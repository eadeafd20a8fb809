# SPDX-License-Identifier: MIT
"""Distinguished names under hypothesis: any text, any DER, every way of writing the same name, and the library's flag."""

import random
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.formats import names
from agent.formats.trustlist import _FLAGS, NAMES_EQUAL, TrustList
from hal.host import crypto
from tests.helpers.agent import building
from tests.helpers.agent.both import vector

LIST_SIGNER = "sast.cert.pem"
TYPES = {keyword: oid for keyword, oid, _ in names._TYPES}
values = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
pieces = st.sampled_from(
    [*TYPES, "xyz", "=", ",", ";", "+", "\\", '"', "#", " ", "a", "\\2c", "\\C3\\AB", "é", "CN=a", "OU=Voice"]
)
latin = st.text(
    st.sampled_from("aBcZz09-_. \xe4\xc4\xdf\xe9\u0141\u0142\u0130\u03a9\u03c9\u0416\u0436\u65e5"), max_size=8
)
texts = st.text(max_size=30) | st.lists(pieces, max_size=12).map("".join)
pairs = st.dictionaries(st.sampled_from(sorted(TYPES)), values, min_size=1, max_size=5)


def der_of(attributes):
    return building.der_name(*[[(TYPES[keyword], 0x0C, attributes[keyword].encode())] for keyword in attributes])


@given(texts)
def test_parse_text_never_raises(text):
    found = names.parse_text(text)
    assert found is None or all(keyword in TYPES and isinstance(value, str) for keyword, value in found)


@given(st.binary(max_size=60))
def test_parse_der_never_raises(der):
    names.parse_der(der)
    names.parse_der(b"\x30" + bytes([len(der)]) + der)
    names.to_text(der)


@given(pairs, st.data())
def test_parse_der_of_damaged_names_never_raises(attributes, data):
    der = bytearray(der_of(attributes))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    names.parse_der(bytes(der))
    names.same("CN=a", bytes(der))


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def escaped(value):
    text = "".join("\\" + letter if letter in ',;+"\\<>=#' else letter for letter in value)
    return "\\20" * (len(text) - len(text.lstrip(" "))) + text.lstrip(" ")


def in_hexadecimal(value):
    return "".join(f"\\{byte:02x}" for byte in value.encode())


@given(pairs, st.randoms(use_true_random=False))
def test_every_way_of_writing_a_name_is_the_same_name(attributes, chance: random.Random):
    order = list(attributes)
    chance.shuffle(order)
    text = ""
    for keyword in order:
        written = chance.choice([escaped, quoted, in_hexadecimal])(attributes[keyword])
        blank = chance.choice(["", " ", "  "])
        keyword = chance.choice([keyword, keyword.lower(), names._dotted(TYPES[keyword])])
        text += (chance.choice([",", ";", "+", " , "]) if text else "") + keyword + blank + "=" + blank + written
    assert names.same(text, der_of(attributes)) is True


def prepared(value):
    """A value as RFC 4518 prepares it for comparison, by Python's own tables."""
    kept = "".join(
        " " if letter in "\t\n\v\f\r\x85" else letter
        for letter in value
        if letter in "\t\n\v\f\r\x85" or unicodedata.category(letter) not in ("Cc", "Cf")
    )
    kept = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", kept).casefold())
    return " ".join(kept.split(" ")) if "  " not in kept else " ".join(part for part in kept.split(" ") if part)


def meaning(attributes):
    return {(keyword, prepared(value).strip(" ")) for keyword, value in attributes.items()}


@given(pairs, pairs)
def test_other_names_are_not_the_same(one, other):
    same = names.same(names.to_text(der_of(one)), der_of(other))
    if same is not None:
        assert same is (meaning(one) == meaning(other))
    else:
        assert (
            not (names.to_text(der_of(one)) + names.to_text(der_of(other))).isascii() or control(one) or control(other)
        )


def control(attributes):
    return any(unicodedata.category(letter) == "Cc" for value in attributes.values() for letter in value)


@given(st.dictionaries(st.sampled_from(sorted(TYPES)), latin, min_size=1, max_size=2), st.data())
def test_names_that_differ_in_letter_case(attributes, data):
    other = {
        keyword: data.draw(st.sampled_from([str.upper, str.lower, str.title]))(attributes[keyword])
        for keyword in attributes
    }
    assert names.same(names.to_text(der_of(attributes)), der_of(other)) is not False
    if all(value.isascii() for value in [*attributes.values(), *other.values()]):
        assert names.same(names.to_text(der_of(attributes)), der_of(other)) is True


def test_small_letters_are_those_of_the_standard():
    for code in range(0x20, 0x600):
        small = names._small(code)
        if names._is_understood(small):
            assert chr(small) == prepared("x" + chr(code) + "x")[1:-1], hex(code)
        assert names._small(small) == small
    assert sum(names._is_understood(names._small(code)) for code in range(0x600)) > 350


@pytest.fixture(scope="module")
def native():
    made = crypto("native")
    assert made.name == "libphonetrust"
    return made


FIELDS = building.fields(LIST_SIGNER)
CERTIFICATE = building.der(LIST_SIGNER)
GOOD = names.to_text(FIELDS.subject)
parts = ["CN=ITLRECOVERY_lab", "OU=Voice", "O=Lab", "o= Lab ", "CN=x", "", " "]
near = st.tuples(
    st.permutations(parts[:3]) | st.lists(st.sampled_from(parts), max_size=5),
    st.sampled_from([",", ";", " , ", "+", ",,"]),
    st.sampled_from(["", ",", ";", " ", ", ", "+", "\\", '"', "\t", "=", "#"]),
).map(lambda found: found[1].join(found[0]) + found[2])


@given(subject=near | texts | st.just(GOOD), issuer=st.just(GOOD) | near)
def test_what_the_library_proves_equal_python_finds_equal(native, subject, issuer):
    assume("\0" not in subject)
    record = building.record(0, CERTIFICATE, subject=subject.encode() + b"\0", issuer=issuer.encode() + b"\0")
    data = building.header() + record
    count, rows, _, _ = native.check_records(memoryview(data), len(building.header()), 8)
    assert count == 1
    if rows[_FLAGS] & NAMES_EQUAL:
        assert names.same(subject, FIELDS.subject) is True
        assert names.same(issuer, FIELDS.issuer) is True


def test_the_library_proves_the_plain_ones(native):
    for name in ("itl-base.tlv", "itl-sha512.tlv", "ctl-mixed.tlv", "itl-over64k.tlv"):
        found = TrustList(vector(name), native, 1 << 20)
        assert all(found.rows[16 * number + _FLAGS] & NAMES_EQUAL for number in range(found.count)), name
