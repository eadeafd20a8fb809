# SPDX-License-Identifier: MIT
"""TVS messages under hypothesis: decoding raises its own error or nothing, and encoded messages decode to the same."""

from hypothesis import given
from hypothesis import strategies as st

from agent.servers.messages import MessageError, element
from agent.servers.tvs import message

SESSION = st.integers(0, 0xFFFFFFFF)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300)
ELEMENTS = st.lists(st.tuples(st.integers(0, 12), st.binary(max_size=40)), max_size=12)


def decoded_or_refused(data):
    try:
        return message.decode(data)
    except MessageError as error:
        assert error.text
        return None


@given(st.binary(max_size=200))
def test_any_bytes(data):
    decoded_or_refused(data)


@given(ELEMENTS, SESSION, st.integers(0, 255))
def test_any_elements(elements, session, command):
    tags = [tag for tag, value in elements if tag in message.KNOWN]
    decoded = decoded_or_refused(message.encode(command, session, elements))
    if decoded is not None:
        assert len(tags) == len(set(tags))
        assert (decoded.command, decoded.session) == (command, session)
        values = dict(elements)
        assert decoded.certificate == values.get(message.CERTIFICATE)
        serial = values.get(message.SERIALNUMBER)
        assert decoded.serial == (b"\0" if serial == b"" else serial), "the number 0 may have no bytes (N5)"


@given(st.binary(max_size=200), SESSION)
def test_any_body_under_a_right_header(body, session):
    header = message.encode(message.QUERY_CERT_RES, session, ())[:8] + len(body).to_bytes(2, "big")
    decoded_or_refused(header + body)


@given(SESSION, TEXT, TEXT, TEXT, st.binary(min_size=1, max_size=40))
def test_query_comes_back(session, device, subject, issuer, serial):
    decoded = message.decode(message.encode_query(session, device, subject, issuer, serial))
    assert (decoded.command, decoded.session) == (message.QUERY_CERT_REQ, session)
    assert (decoded.device_name, decoded.subject, decoded.issuer) == (device, subject, issuer)
    assert decoded.serial == serial
    assert decoded.certificate is decoded.status is decoded.roles is decoded.ttl is None


@given(SESSION, TEXT, st.binary(min_size=1, max_size=5000))
def test_verification_comes_back(session, device, certificate):
    decoded = message.decode(message.encode_verification(session, device, certificate))
    assert (decoded.command, decoded.session) == (message.CERT_VERIFICATION_REQ, session)
    assert (decoded.device_name, decoded.certificate) == (device, certificate)


@given(SESSION, st.integers(0, 255), st.binary(max_size=256), st.integers(0, 0xFFFFFFFF), ELEMENTS)
def test_answer_comes_back_among_unknown_elements(session, status, roles, ttl, others):
    elements = [(message.STATUS, bytes((status,))), (message.ROLES, roles), (message.TTL, ttl.to_bytes(4, "big"))]
    elements += [(tag + 100, value) for tag, value in others]
    data = message.encode(message.QUERY_CERT_RES, session, elements)
    decoded = message.decode(data)
    assert (decoded.status, decoded.roles, decoded.ttl) == (status, tuple(dict.fromkeys(roles)), ttl)


@given(SESSION, st.binary(min_size=1, max_size=200), st.data())
def test_every_truncation_is_refused(session, certificate, data):
    whole = message.encode(message.QUERY_CERT_RES, session, ((7, b"\0"), (2, certificate)))
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert decoded_or_refused(whole[:cut]) is None
    shorter = whole[:8] + (cut - 10).to_bytes(2, "big") + whole[10:cut] if cut >= 10 else b""
    decoded = decoded_or_refused(shorter)
    assert (decoded is not None) == (cut in (10, 14)), "an element ends there, so the message is a whole one"


def test_an_element_holds_its_length():
    assert element(2, b"ab") == b"\x02\x00\x02ab"
