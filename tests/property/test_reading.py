# SPDX-License-Identifier: MIT
"""The readers on any bytes: they give their documented result, or raise their documented error."""

from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Malformed, Refused, SettingsError
from agent.formats.phoneconfig import PhoneConfig
from agent.formats.signedfile import SignedFileSink, read
from agent.formats.trustlist import TrustList
from agent.formats.xml import elements
from agent.settings import KEYS, Settings, parse
from agent.trust.rules import Trust
from hal.host import crypto
from hal.host.with_cryptography import HostCrypto
from tests.helpers.agent.both import vector

CRYPTOS = [crypto("native"), HostCrypto()]
LISTS = [vector(name) for name in ("itl-rollback.tlv", "itl-dn.tlv", "ctl-mixed.tlv")]
SIGNED = vector("cfg-sha512.cnf.xml.sgn")
ENCRYPTED = vector("SEP00270DC01C92.cnf.xml.enc.sgn")


@st.composite
def damaged(draw, seeds):
    """A seed with bytes changed, cut out, or put in; many changes hit the header."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, min(len(data), 600) - 1) | st.integers(0, len(data) - 1))
        action = draw(st.sampled_from(["change", "cut", "insert", "end"]))
        if action == "change":
            data[at] = draw(st.integers(0, 30) | st.integers(0, 255))
        elif action == "cut":
            del data[at : at + draw(st.integers(1, 20))]
        elif action == "insert":
            data[at:at] = draw(st.binary(max_size=6))
        elif at:
            del data[at:]
        if not data:
            break
    return bytes(data)


@given(damaged(LISTS) | st.binary(max_size=80))
def test_a_trust_list_is_read_or_refused(data):
    for library in CRYPTOS:
        try:
            found = TrustList(data, library)
        except Refused as error:
            assert error.reason in ("malformed", "unsupported", "record-mismatch", "too-large")
            assert str(error)
        else:
            assert len([record.subject for record in found.records()]) == found.count


@given(damaged([SIGNED, ENCRYPTED]) | st.binary(max_size=80))
def test_a_signed_file_is_read_or_refused(data):
    try:
        found = read(data, CRYPTOS[0])
    except Refused as error:
        assert error.reason == "malformed"
    else:
        assert found.header.length <= found.size == len(data)


@given(damaged([SIGNED]), st.lists(st.integers(0, 700), max_size=6))
def test_blocks_make_no_difference(data, cuts):
    def outcome(call):
        try:
            found = call()
        except Refused as error:
            return error.reason
        return (found.digest, found.size, found.header.filename, found.header.length)

    def in_blocks():
        sink = SignedFileSink(CRYPTOS[0], 65536)
        sink.begin(None)
        ends = sorted(min(cut, len(data)) for cut in cuts)
        for start, end in zip([0, *ends], [*ends, len(data)], strict=True):
            sink.write(memoryview(data)[start:end])
        return sink.finish()

    assert outcome(in_blocks) == outcome(lambda: read(data, CRYPTOS[0]))


@given(damaged(LISTS))
def test_a_damaged_list_is_never_accepted(data):
    if data in LISTS:
        return
    trust = Trust(CRYPTOS[0], itl=vector("itl-base.tlv"))
    for kind in ("itl", "ctl"):
        decision = trust.decide_list(kind, data)
        assert not decision.accepted, decision


@given(damaged([SIGNED, ENCRYPTED]))
def test_a_damaged_signed_file_is_never_accepted(data):
    if data in (SIGNED, ENCRYPTED):
        return
    trust = Trust(CRYPTOS[0], itl=vector("itl-base.tlv"))
    for name in ("SEP00270DC01C92.cnf.xml.sgn", "SEP00270DC01C92.cnf.xml.enc.sgn"):
        assert not trust.decide_file(name, data).accepted


XML = vector("SEP00270DC01C92.cnf.xml")
markup = st.lists(
    st.sampled_from(
        [
            "<a>",
            "</a>",
            "<b c='d'>",
            "</b>",
            "<e/>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "&amp;",
            "&#65;",
            "&",
            ";",
            "<",
            ">",
            "'",
            '"',
            "=",
            " ",
            "text",
            "<?",
            "?>",
            "<!",
            "ë",
            "<TVS>",
            "</TVS>",
        ]
    ),
    max_size=14,
).map("".join)


@given(markup.map(str.encode) | st.binary(max_size=60) | damaged([XML]))
def test_a_configuration_is_read_or_malformed(data):
    try:
        found = PhoneConfig(data)
    except Malformed as error:
        assert 0 <= error.offset <= len(data)
    else:
        assert len(found.tvs) <= 5 and all(host and 0 < port < 65536 for host, port in found.tvs)
        opened = [path for path, _, text in elements(data) if text is None]
        closed = [path for path, _, text in elements(data) if text is not None]
        assert sorted(opened) == sorted(closed)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(KEYS)) | st.text(max_size=5), json_values, max_size=3))
def test_settings_are_right_or_a_mistake_that_is_named(values):
    values.setdefault("mac", "00270DC01C92")
    try:
        Settings(values)
    except SettingsError as error:
        assert "for example" in str(error) and any(key in str(error) for key in values)


@given(st.text(max_size=60))
def test_a_settings_file_of_any_text(text):
    try:
        parse(text)
    except SettingsError as error:
        assert str(error).startswith("settings: ")
