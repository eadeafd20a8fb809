# SPDX-License-Identifier: MIT
"""DHCP answers, which any machine on the network can send: an invalid server neither ends the agent nor hides the others."""

import json

from boards.phone import dhcp_servers

PYTHONS = ("micropython",)  # a board's program

GOOD = ("192.0.2.1", 69)
LONGEST = "x" * 255
LEFT_OUT = (
    "",
    "not json",
    "null",
    "[]",
    "5",
    '"text"',
    "{",
    '{"option150": null}',
    '{"option150": "192.0.2.1"}',
    '{"option150": {"a": 1}}',
    '{"option150": [null, 5, {}, [], true, 1.5]}',
    '{"option150": ["", " ", ":", ":69", "192.0.2.1:0", "192.0.2.1:99999", "192.0.2.1:-1", "a b", "\\u0000"]}',
    '{"option66": ["' + LONGEST + 'x"]}',
    "[" * 500,
)


def test_what_is_no_server_is_left_out():
    for text in LEFT_OUT:
        assert dhcp_servers(text) == [], text[:80]


def test_a_server_among_others_is_found():
    assert dhcp_servers(json.dumps({"option150": [None, "a b", "192.0.2.1", 7]})) == [GOOD]
    assert dhcp_servers(json.dumps({"option66": [LONGEST + ":6969"]})) == [(LONGEST, 6969)]
    assert dhcp_servers('{"option150": [], "option66": ["host:99999", "::", ":", "ok"]}') == [("::", 69), ("ok", 69)]


def test_option_66_where_150_has_no_server():
    assert dhcp_servers(json.dumps({"option150": [None], "option66": ["192.0.2.1"]})) == [GOOD]
    assert dhcp_servers(json.dumps({"option150": ["192.0.2.1"], "option66": ["192.0.2.9"]})) == [GOOD]
