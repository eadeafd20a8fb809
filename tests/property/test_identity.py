# SPDX-License-Identifier: MIT
"""PEM files that people give to a phone: any content gives a pair or an error sentence."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from agent.flash.identity import parse_pem

BEGIN, END = "-----BEGIN ", "-----END "
PIECES = [
    "CERTIFICATE",
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    BEGIN,
    END,
    "-----",
    "\n",
    "AAAA",
    "=",
]


def block(label, content):
    return f"{BEGIN}{label}-----\n{base64.encodebytes(content).decode()}{END}{label}-----\n"


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=20))
def test_anything(pieces):
    try:
        certificate, key = parse_pem("".join(pieces))
    except ValueError as error:
        assert str(error)
    else:
        assert certificate and key


@given(
    st.binary(min_size=1, max_size=300),
    st.binary(min_size=1, max_size=300),
    st.sampled_from(["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]),
    st.text(st.characters(exclude_characters="-"), max_size=20),
    st.booleans(),
)
def test_what_is_there_is_found(certificate, key, label, around, first):
    parts = [block("CERTIFICATE", certificate), block(label, key)]
    if first:
        parts.reverse()
    assert parse_pem(around + around.join(parts) + around) == (certificate, key)
