# SPDX-License-Identifier: MIT
"""The walks in C and in agent/ are twins: the same rows or the same refusal, on any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Malformed, Refused
from agent.formats import tlv
from agent.formats.trustlist import TrustList
from hal.host import crypto
from hal.host.with_cryptography import HostCrypto
from tests.helpers.native.library import ROOT

VECTORS = ROOT / "tests" / "vectors"
FILES = sorted(path.name for path in VECTORS.iterdir() if path.suffix in (".tlv", ".sgn"))
TRUNCATED = ("itl-base.tlv", "SEP00270DC01C92.cnf.xml.enc.sgn")


def walked(rows):
    try:
        return ("ok", list(rows))
    except Malformed as error:
        return ("malformed", error.tag, error.offset)


def agree(library, data):
    """Both walks over a whole file; gives what the header's walk said."""
    header = walked(tlv.header_tlvs(data))
    assert library.header_index(data) == header
    if header[0] == "ok":
        start = tlv.header_length(data)
        assert library.record_index(data, start) == walked(tlv.record_tlvs(data, start))
    return header


@pytest.mark.parametrize("name", FILES)
def test_same_on_every_vector(library, name):
    agree(library, (VECTORS / name).read_bytes())


@pytest.mark.parametrize("name", TRUNCATED)
def test_same_on_every_truncation(library, name):
    data = (VECTORS / name).read_bytes()
    start = tlv.header_length(data)
    for length in range(len(data)):
        outcome = agree(library, data[:length])[0]
        assert outcome == ("malformed" if length < start else "ok")


SEEDS = [(VECTORS / name).read_bytes() for name in ("itl-rollback.tlv", "SEP00270DC01C92.cnf.xml.enc.sgn")]


@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 40) | st.integers(0, 255)), max_size=4),
)
def test_same_on_changed_vectors(library, seed, changes):
    data = bytearray(seed)
    for offset, value in changes:
        data[offset] = value
    agree(library, bytes(data))


def headers(body):
    """A header of these TLVs (tag, value) with a true header length, sometimes nested by chance of the tags."""
    packed = b"".join(
        bytes([tag]) + (b"" if tag == 13 else len(value).to_bytes(2, "big") + value) for tag, value in body
    )
    return b"\1\0\2\1\2\2\0\2" + (10 + len(packed)).to_bytes(2, "big") + packed


small = st.lists(st.tuples(st.integers(0, 30), st.binary(max_size=4)), max_size=6)
nested = st.lists(
    st.tuples(st.sampled_from((3, 7, 9, 16, 17, 21, 14, 13, 200)), small.map(lambda body: headers(body)[10:])),
    max_size=4,
)


@given(body=small | nested)
def test_same_on_headers_made_of_tlvs(library, body):
    agree(library, headers(body))


@given(records=st.lists(st.lists(st.tuples(st.integers(0, 14), st.binary(max_size=6)), max_size=5), max_size=4))
def test_same_on_records_made_of_tlvs(library, records):
    data = b""
    for fields in records:
        packed = b"".join(bytes([tag]) + len(value).to_bytes(2, "big") + value for tag, value in fields)
        data += b"\1\0\2" + (5 + len(packed)).to_bytes(2, "big") + packed
    assert library.record_index(data, 0) == walked(tlv.record_tlvs(data, 0))


NO_LIMIT = 1 << 20


@pytest.fixture(scope="module")
def cryptos(native_build):
    return crypto("native"), HostCrypto()


def read_by(crypto, data):
    """What a trust list comes to: what its records say, or why it is refused."""
    try:
        trust_list = TrustList(data, crypto, NO_LIMIT)
    except Refused as error:
        return (error.reason, getattr(error, "tag", None), getattr(error, "offset", None))
    names = ("offset", "length", "role", "certificate", "issuer", "serial", "subject", "key_kind", "key_bits")
    return [tuple(getattr(record, name) for name in names) for record in trust_list.records()]


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".tlv")])
def test_same_records_of_every_list(cryptos, name):
    native, python = cryptos
    data = (VECTORS / name).read_bytes()
    assert read_by(native, data) == read_by(python, data)


def outside_certificates(data):
    """Offsets in the records where a change leaves all certificates whole."""
    start = tlv.header_length(data)
    inside = [range(offset, offset + length) for tag, offset, length in tlv.record_tlvs(data, start) if tag == 9]
    return [offset for offset in range(start, len(data)) if not any(offset in part for part in inside)]


LISTS = [(VECTORS / name).read_bytes() for name in ("itl-base.tlv", "itl-dn.tlv", "itl-highserial.tlv")]
PLACES = [(data, outside_certificates(data)) for data in LISTS]


@given(place=st.sampled_from(PLACES), data=st.data())
def test_same_records_of_changed_lists(cryptos, place, data):
    native, python = cryptos
    seed, offsets = place
    changed = bytearray(seed)
    for offset in data.draw(st.lists(st.sampled_from(offsets), max_size=3)):
        changed[offset] = data.draw(st.integers(0, 12) | st.integers(0, 255))
    assert read_by(native, bytes(changed)) == read_by(python, bytes(changed))
