# SPDX-License-Identifier: MIT
import json

from agent.local.json_pieces import pieces

VALUES = (
    None,
    True,
    7,
    'ë"\\\n',
    [],
    {},
    [[]],
    {"a": {}},
    {"a": [1, {"b": [2, {"c": {"d": [3, [4]]}}]}, []], "e": "f", "g": None},
    [{"decision": number, "evidence": {"signer": {"serial": "00"}}} for number in range(5)],
)


def test_the_pieces_make_the_same_text():
    for value in VALUES:
        for depth in range(5):
            assert "".join(pieces(value, depth)) == json.dumps(value), (value, depth)


def test_no_piece_is_large():
    value = {"list": [{"text": "x" * 100} for _ in range(50)]}
    found = list(pieces(value))
    assert max([len(piece) for piece in found]) < 120 and len("".join(found)) > 5000
