# SPDX-License-Identifier: MIT
"""docs/security.md has a test for each claim: each test that it names exists, and each claim of a defence names one."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs/security.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def claims():
    """The list items of the document, joined."""
    items = re.split(r"\n(?=- |#)", TEXT)
    return [item for item in items if item.startswith("- ")]


def test_every_named_test_exists():
    named = NAMED.findall(TEXT)
    assert len(named) > 25
    for file, test in named:
        tree = ast.parse((ROOT / file).read_text())
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert test in tests, f"{file} has no {test}"


def test_every_defence_has_its_test():
    without = [claim[:90] for claim in claims() if claim.startswith("- **Cannot**") and not NAMED.search(claim)]
    assert not without, without
    assert sum(claim.startswith("- **Cannot**") for claim in claims()) > 15


def test_make_torture_finds_its_place():
    from tests.torture.__main__ import BEGIN, END, written

    assert TEXT.count(BEGIN) == 1 and TEXT.count(END) == 1
    assert "| a table |" in written("| a table |\n", 60, ["bits"]) and "only bits" in written("", 60, ["bits"])


def test_security_md_says_how_to_report():
    assert "How to report" in (ROOT / "SECURITY.md").read_text()
