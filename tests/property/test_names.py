# SPDX-License-Identifier: MIT
"""Distinguished names under hypothesis: any text, any DER, every way of writing the same name, and the library's flag."""

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.formats import names
from agent.formats.trustlist import _FLAGS, NAMES_PROVEN, TrustList
from hal.host import crypto
from tests.helpers.agent import building
from tests.helpers.agent.both import vector

LIST_SIGNER = "sast.cert.pem"
TYPES = {keyword: oid for keyword, oid, _ in names._TYPES}
values = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
pieces = st.sampled_from(
    [*TYPES, "xyz", "=", ",", ";", "+", "\\", '"', "#", " ", "a", "\\2c", "\\C3\\AB", "é", "CN=a", "OU=Voice"]
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


@given(pairs, pairs)
def test_other_names_are_not_the_same(one, other):
    def meaning(attributes):
        return {(keyword, value.strip(" ")) for keyword, value in attributes.items()}

    same = names.same(names.to_text(der_of(one)), der_of(other))
    assert same is (meaning(one) == meaning(other))


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
    if rows[_FLAGS] & NAMES_PROVEN:
        assert names.same(subject, FIELDS.subject) is True
        assert names.same(issuer, FIELDS.issuer) is True


def test_the_library_proves_the_plain_ones(native):
    for name in ("itl-base.tlv", "itl-sha512.tlv", "ctl-mixed.tlv", "itl-over64k.tlv"):
        found = TrustList(vector(name), native, 1 << 20)
        assert all(found.rows[16 * number + _FLAGS] & NAMES_PROVEN for number in range(found.count)), name
