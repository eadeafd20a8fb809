# SPDX-License-Identifier: MIT
"""The table of reasons (agent/trust/reasons.py) and the code say the same, and docs/reasons.md is what the table says.

With PHONETRUST_WRITE_DOCS=1 the page is written anew (make docs)."""

import ast
import os
import re
from pathlib import Path

from agent.trust.reasons import ACCEPTED, BOTH, REFUSED, codes, locks_out, meaning, outcome, try_again
from host_tools.report import trust_page

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/reasons.md"
#: Files whose strings are about reasons but give no reason.
NO_GIVERS = ("agent/trust/reasons.py", "agent/trust/wording/")
#: function or method -> which of its arguments is a reason
GIVERS = {"Decision": 1, "accept": 0, "refuse": 0, "Refused": 1, "_Ended": 0, "Result": 0, "enrolment": 1}
#: Their classes, and those below them, end in decisions, or in the answer to a program of the phone.
ERRORS = {"Refused", "TransferError", "TrustLost", "Busy"}
CODE = re.compile(r"[a-z]+(-[a-z]+)*$")

HEAD = """# Reasons

Every decision of a phone has one of these reasons, in the status, at the console, in what `phonetrust preflight` prints and
in what other programs are told. This page is the table `agent/trust/reasons.py`; `make docs` writes it.

- **outcome**: with which outcome the reason comes.
- **locks out**: such a refusal means that the cluster offers something and the phone does not believe it. The status then
  says `locked_out` and what a person should do.
- **tried again**: the phone tries again by itself after a while.

| reason | outcome | locks out | tried again | meaning |
| --- | --- | --- | --- | --- |
"""


def trees(folder="agent"):
    return [
        (str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def name_of(node):
    """The last part of a name: Decision of decision.Decision."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def constants(node):
    """The codes that an expression can have as its value: constants, both arms of a condition, values of a dictionary."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.IfExp):
        return constants(node.body) | constants(node.orelse)
    if isinstance(node, ast.BoolOp):
        return set().union(*map(constants, node.values))
    if isinstance(node, ast.Dict):
        return set().union(*map(constants, node.values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return constants(node.func.value) | set().union(*map(constants, node.args[1:]))
    return set()


def error_classes():
    """The classes of agent/ that are in ERRORS, or below them."""
    found = set(ERRORS)
    classes = [node for _, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    size = 0
    while size != len(found):
        size = len(found)
        found |= {node.name for node in classes if any(name_of(base) in found for base in node.bases)}
    return found


def given():
    """{reason: [file:line]} of everything in agent/ that is given as the reason of a decision."""
    errors = error_classes()
    found = {}

    def add(file, node, codes):
        for code in codes:
            found.setdefault(code, []).append(f"{file}:{node.lineno}")

    for file, tree in trees():
        if file.startswith(NO_GIVERS):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                at = GIVERS.get(name_of(node.func))
                if at is not None and len(node.args) > at:
                    add(file, node, constants(node.args[at]))
            elif isinstance(node, ast.ClassDef) and node.name in errors:
                for line in node.body:
                    add(file, line, reason_set(line))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for line in ast.walk(node):
                    add(file, line, reason_set(line))
    return found


def reason_set(node):
    """The codes that `reason = ...` gives the name, nothing for any other line."""
    if isinstance(node, ast.Assign) and [name_of(each) for each in node.targets] == ["reason"]:
        return constants(node.value)
    return set()


def mentioned():
    """The hyphenated codes that stand anywhere in agent/ as a string of their own; words are too common for that."""
    return {
        node.value
        for file, tree in trees()
        if not file.startswith(NO_GIVERS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "-" in node.value
    }


def test_every_reason_that_is_given_stands_in_the_table():
    unknown = {code: places for code, places in given().items() if code not in codes()}
    assert not unknown, unknown


def compared(node):
    """The strings with which a comparison compares something of the name `reason`: `x.reason == "..."`, `reason in (...)`."""
    sides = [node.left, *node.comparators]
    keys = [side.slice.value if is_item(side) else name_of(side) for side in sides]
    if "reason" not in keys:
        return set()
    return {each.value for side in sides if not is_item(side) for each in ast.walk(side) if is_text(each)}


def is_item(node):
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_host_tools_know_no_other_reasons():
    unknown = {
        f"{file}:{node.lineno}": compared(node) - set(codes())
        for file, tree in trees("host_tools")
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and compared(node) - set(codes())
    }
    assert not unknown
    assert set(trust_page.FOUND) <= set(codes())


def test_every_reason_of_the_table_is_given_somewhere():
    unused = set(codes()) - set(given()) - mentioned()
    assert not unused, f"nothing in agent/ ends in these: {sorted(unused)}"


def test_the_walk_finds_what_it_should():
    found = given()
    for code in (
        "unchanged",
        "malformed",
        "record-mismatch",
        "no-server",
        "bad-name",
        "tvs-refused",
        "first-use",
        "wrong-string",
    ):
        assert code in found, code
    assert "error" not in found and "settings" not in found, "errors that end in no decision"


def test_rows_are_well_formed():
    for code in codes():
        assert CODE.match(code) and outcome(code) in (ACCEPTED, REFUSED, BOTH), code
        assert locks_out(code) in (True, False) and try_again(code) in (True, False), code
        assert meaning(code) and meaning(code)[-1] != ".", code
        if outcome(code) == ACCEPTED:
            assert not locks_out(code) and not try_again(code), code


def page():
    words = {True: "yes", False: ""}
    outcomes = {ACCEPTED: "accepted", REFUSED: "refused", BOTH: "either"}
    rows = [
        f"| `{code}` | {outcomes[outcome(code)]} | {words[locks_out(code)]} | {words[try_again(code)]} | {meaning(code)} |\n"
        for code in codes()
    ]
    return HEAD + "".join(rows)


def test_docs_have_the_table():
    if os.environ.get("PHONETRUST_WRITE_DOCS"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "docs/reasons.md is not what the table says: make docs"
