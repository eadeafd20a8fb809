# SPDX-License-Identifier: MIT
"""CAPF messages under hypothesis: decoding raises its own error or nothing, and encoded messages decode to the same."""

from hypothesis import given
from hypothesis import strategies as st

from agent.servers.capf import message
from agent.servers.messages import MessageError

SESSION = st.integers(0, 0xFFFFFFFF)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100)


def decoded_or_refused(data):
    try:
        return message.decode(data)
    except MessageError as error:
        assert error.text
        return None


@given(st.binary(max_size=200))
def test_any_bytes(data):
    decoded_or_refused(data)


@given(st.lists(st.tuples(st.integers(0, 25), st.binary(max_size=12)), max_size=12), SESSION, st.integers(0, 255))
def test_any_elements(elements, session, command):
    decoded = decoded_or_refused(message.encode(command, session, elements))
    if decoded is not None:
        assert (decoded.command, decoded.session) == (command, session)
        assert decoded.public_key == dict(elements).get(message.PUBLICKEY)


@given(SESSION, TEXT, TEXT, st.sampled_from((message.LSC, message.MIC)), st.binary(min_size=1, max_size=3000))
def test_what_a_phone_says_comes_back(session, name, string, kind, certificate):
    elements = (
        (message.DEVICENAME, message.text(name, "name")),
        (message.PASSWORD, message.text(string, "string")),
        (message.CERTIFICATE, message.certificate_value(kind, certificate)),
    )
    whole = message.encode(message.AUTH_RES, session, elements)
    decoded = message.decode(whole)
    assert (decoded.session, decoded.device_name, decoded.password) == (session, name, string)
    assert (decoded.certificate_type, decoded.certificate) == (kind, certificate)
    assert decoded_or_refused(whole[:-1]) is None
