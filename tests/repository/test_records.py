# SPDX-License-Identifier: MIT
"""The columns of a record are the same in the HAL's interface, in the C library that fills them and in the agent that reads
them; hal/native.py moves none."""

import ast
import re
from pathlib import Path

from agent.formats import trustlist
from hal import native

ROOT = Path(__file__).resolve().parents[2]
DEFINE = re.compile(r"#define PHONETRUST_(?:RECORD_)?([A-Z_]+) +(0x[0-9A-F]+|\d+)\b")


def interface():
    """{name: number} of RecordColumn in hal/__init__.pyi."""
    tree = ast.parse((ROOT / "hal/__init__.pyi").read_text())
    columns = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "RecordColumn")
    return {node.targets[0].id: node.value.value for node in columns.body if isinstance(node, ast.Assign)}


def test_c_fills_them_as_the_interface_says():
    text = (ROOT / "native/phonetrust.h").read_text()
    part = text[text.index("The row of a record from phonetrust_check_records") :]
    defined = {name: int(number, 0) for name, number in DEFINE.findall(part)}
    names = interface()
    assert {name: defined[name] for name in names} == names
    assert native.RECORD_ROW == names["ROW"]


def test_the_agent_reads_them_as_the_interface_says():
    names = interface()
    found = {name: getattr(trustlist, name, getattr(trustlist, f"_{name}", None)) for name in names}
    assert found == names
    assert trustlist._CERTIFICATE_LENGTH == names["CERTIFICATE"] + 1
    assert list(trustlist.KEY_KINDS) == list(native.KEY_KINDS) == ["other", "rsa", "ec"]
