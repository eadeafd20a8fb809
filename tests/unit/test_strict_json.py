# SPDX-License-Identifier: MIT
"""JSON that people write: a correct text is read exactly, and each mistake is named with its place."""

import json

from agent.formats.strict_json import DEPTH_LIMIT, JsonError, loads
from tests.helpers.agent.both import raises


def wrong(text):
    """ "line:column what" of the error."""
    error = raises(JsonError, loads, text)
    assert str(error).startswith("line %d, column %d: " % (error.line, error.column))
    return "%d:%d %s" % (error.line, error.column, str(error).split(": ", 1)[1])


def test_what_is_right():
    for text in (
        "{}",
        "[]",
        ' { "a" : [ 1 , -2 , 0 , 10 ] , "b" : { "c" : null } } ',
        '{"a": true, "b": false, "c": "x\\n\\t\\"\\\\\\/\\b\\f\\r"}',
        '"Zo\xeb \\u00eb \\u65e5"',
        "12345678901234567890",
        "\r\n\t[[[]]]\n",
        '""',
    ):
        assert loads(text) == json.loads(text), text
    assert loads("1.5e1") == 15.0 and loads("-0.25") == -0.25 and loads("1E+2") == 100.0
    assert loads('"\\ud83d\\ude00"') == "\U0001f600"
    assert loads('\ufeff{"a": 1}') == {"a": 1}, "the mark of some editors"


def test_what_is_missing():
    assert wrong('{"a": 1 "b": 2}') == "1:9 a comma or '}' is missing"
    assert wrong('{\n  "a": 1\n  "b": 2\n}') == "3:3 a comma or '}' is missing"
    assert wrong('{"a" 1}') == "1:6 a colon is missing after the key 'a'"
    assert wrong("[1 2]") == "1:4 a comma or ']' is missing"
    assert wrong('{"a": }') == "1:7 a value is missing"
    assert wrong("[,1]") == "1:2 a value is missing"
    assert wrong("") == "1:1 a value is missing" and wrong("  \n ") == "2:2 a value is missing"
    assert wrong('{"a": 1') == "1:8 the text ends, and '{' of line 1, column 1 is not closed"
    assert wrong('{"a": 1}\n[') == "2:1 something follows after the end"
    assert wrong('{"x":\n [1, 2') == "2:7 the text ends, and '[' of line 2, column 2 is not closed"
    assert wrong('{"a": 1,') == "1:9 the text ends, and '{' of line 1, column 1 is not closed"
    assert wrong('{"a": "x') == "1:7 the text has no closing quote"
    assert wrong('{"a": "x\n}') == "1:9 the text has a control character, or its closing quote is missing"


def test_what_is_too_much():
    assert wrong('{"a": 1} x') == "1:10 something follows after the end"
    assert wrong('{"a": 1}}') == "1:9 something follows after the end"
    assert wrong('{"a": 1,}') == "1:9 nothing follows the comma before '}'"
    assert wrong("[1,]") == "1:4 nothing follows the comma before ']'"
    assert wrong('{"a": 1, "a": 1}') == "1:10 the key 'a' appears twice"
    assert wrong('{"b": {"a": 1,\n"\\u0061": 2}}') == "2:1 the key 'a' appears twice"
    assert wrong('{"a": 1]') == "1:8 a comma or '}' is missing"


def test_nesting_ends():
    assert loads("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT)
    for text in ("[" * 100000, '{"a":' * 100000, "[" * (DEPTH_LIMIT + 2) + "]" * (DEPTH_LIMIT + 2)):
        assert "nested more than" in wrong(text)


def test_other_values():
    for text in ("nul", "True", "'a'", "NaN", "Infinity", "+1", ".5", "mac = 1", "// x", "\0", "\xa01"):
        assert "this is not a value of JSON" in wrong(text), text
    assert wrong("{mac: 1}") == "1:2 a key in double quotes is missing"
    assert wrong("{1: 2}") == "1:2 a key in double quotes is missing"
    for text in ("-", "1.", "1e", "1e+", "-x"):
        assert "a digit is missing" in wrong(text), text
    for text in ("01", "-00", "00", "1x", "0x10", "1_0", "truex", "1 2"):
        assert raises(JsonError, loads, text), text
    assert "more than 40 characters" in wrong("1" * 100000)


def test_escapes():
    for text in ('"\\x"', '"\\u12"', '"\\u12g4"', '"\\u+123"', '"\\ud800"', '"\\udc00"', '"\\ud800\\u0041"', '"\\'):
        assert raises(JsonError, loads, text), text
