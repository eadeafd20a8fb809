# SPDX-License-Identifier: MIT
"""What DHCP gives a board: anybody on the network can answer, so nothing that is no server ends the agent or hides the others."""

import json

from boards.phone import dhcp_servers

PYTHONS = ("micropython",)  # a board's program

GOOD = ("192.0.2.1", 69)
EVIL = (
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
    '{"option150": ["", " ", ":", ":69", "a:b:c:d", "192.0.2.1:0", "192.0.2.1:99999", "192.0.2.1:-1", "a b", "\\u0000"]}',
    '{"option66": ["' + "x" * 1000 + '"]}',
    "[" * 500,
)


def test_what_is_no_server_is_left_out():
    for text in EVIL:
        assert isinstance(dhcp_servers(text), list), text
    assert dhcp_servers(json.dumps({"option150": [None, "a b", "192.0.2.1", 7]})) == [GOOD]


def test_option_66_where_150_has_no_server():
    assert dhcp_servers(json.dumps({"option150": [None], "option66": ["192.0.2.1"]})) == [GOOD]
    assert dhcp_servers(json.dumps({"option150": ["192.0.2.1"], "option66": ["192.0.2.9"]})) == [GOOD]


def test_no_server_is_made_of_what_is_none():
    for text in EVIL[:-2]:
        if "option150" in text:
            found = dhcp_servers(text)
            assert not [one for one in found if not one[0] or not 0 < one[1] < 65536], (text, found)
