# SPDX-License-Identifier: MIT
"""Text of strangers is shown without control characters; times of any year are the same on both Pythons."""

from agent.formats.text import SENTENCES_LIMIT, shown, shown_value, utc
from agent.trust.decision import Decision

#: One character of each kind that steers a terminal or changes the direction of text.
BAD = (
    "\0\x07\x08\t\n\r\x1b\x1f\x7f\x80\x85\x9b\x9f\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e"
    "\u2066\u2067\u2068\u2069"
)


def test_characters_that_are_replaced():
    for letter in BAD:
        assert shown("a%sb" % letter) == "a?b", hex(ord(letter))
    assert shown("\x1b[2Jgone\r\n\x1b]0;title\x07") == "?[2Jgone???]0;title?"


def test_all_others_stay():
    for text in (
        "",
        "CN=lab-TVS-pub,OU=Voice",
        "Zo\xeb \u0141\xf3d\u017a \u65e5\u672c",
        "\xa0\xa1",
        "\u200b\u2065\u206a",
        "~ ",
    ):
        assert shown(text) == text
    assert shown(BAD) == "?" * len(BAD)


def test_long_text_is_cut():
    assert shown("x" * 200) == "x" * 200 and shown("x" * 201) == "x" * 200 + "..."
    assert shown("abc", 2) == "ab..." and shown("a\nbc", 2) == "a?..."


def test_values_for_json():
    value = {"a\n": ["b\x1b", 1, None, True, ("c\x9b",)], "d": {"e": "\u202e"}}
    assert shown_value(value) == {"a?": ["b?", 1, None, True, ["c?"]], "d": {"e": "?"}}


def test_decisions_have_no_control_characters():
    decision = Decision(False, "malformed", "x\x1b.xml", "A\x07 b.", {"signer": {"subject": "CN=\x9b2J"}})
    decision.warnings.append("W\u2028 x.")
    found = decision.as_dict()
    assert found["text"] == decision.text == "A? b." and found["kind"] == "x?.xml"
    assert found["warnings"] == ["W? x."] and found["evidence"]["signer"]["subject"] == "CN=?2J"
    assert len(Decision(False, "malformed", "x", "y" * 5000).text) == SENTENCES_LIMIT + 3


def test_times():
    for seconds, text in (
        (0, "1970-01-01 00:00:00 UTC"),
        (951782400, "2000-02-29 00:00:00 UTC"),
        (951868799, "2000-02-29 23:59:59 UTC"),
        (951868800, "2000-03-01 00:00:00 UTC"),
        (1709164800, "2024-02-29 00:00:00 UTC"),
        (1735689599, "2024-12-31 23:59:59 UTC"),
        (1767225600, "2026-01-01 00:00:00 UTC"),
        (4107542400, "2100-03-01 00:00:00 UTC"),
        (0xFFFFFFFF, "2106-02-07 06:28:15 UTC"),
    ):
        assert utc(seconds) == text, seconds
