# SPDX-License-Identifier: MIT
"""The rules that the whole repository keeps: directions of import, licence lines, sizes, nothing of this machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# What MicroPython 1.25 on Linux has and the agent may use; everything else of the standard library is CPython's alone.
SHARED_MODULES = {
    "array", "asyncio", "binascii", "errno", "gc", "hashlib", "io", "json", "micropython", "os", "re", "select", "socket",
    "struct", "sys", "time", "uctypes", "deflate",
}  # fmt: skip
SOURCES = {".py", ".c", ".h", ".sh", ".mk"}
LICENCE = "SPDX-License-Identifier: MIT"
LONGEST = 400


def tracked():
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    names = listing.stdout.decode().rstrip("\0").split("\0")
    return [
        ROOT / name
        for name in names
        if (ROOT / name).is_file() and not name.startswith(("tests/vectors/", "tests/vectors-clusters/"))
    ]


def sources():
    return [path for path in tracked() if path.suffix in SOURCES or path.name in ("Makefile", "micropython", "run")]


def texts():
    """(path, text) of every tracked file that is text."""
    for path in tracked():
        try:
            yield path, path.read_text()
        except UnicodeDecodeError:
            continue


def imports(path):
    """(line, top module) of each import of a Python file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name.split(".")[0]) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "agent" if node.level else node.module.split(".")[0]


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sorted((ROOT / "agent").rglob("*.py")), ids=name)
def test_agent_imports_nothing_but_what_both_pythons_share(path):
    wrong = [f"line {line}: {module}" for line, module in imports(path) if module not in SHARED_MODULES | {"agent"}]
    assert not wrong, f"agent/ is given a HAL and runs on MicroPython; it may not import these: {wrong}"


@pytest.mark.parametrize("path", sorted((ROOT / "hal").rglob("*.py")), ids=name)
def test_hal_knows_neither_agent_nor_host_tools(path):
    wrong = [f"line {line}: {module}" for line, module in imports(path) if module in ("agent", "host_tools")]
    assert not wrong, f"imports run downward only: {wrong}"


def test_every_source_has_its_licence_line():
    without = [name(path) for path in sources() if LICENCE not in "".join(path.read_text().splitlines(True)[:2])]
    assert not without, f"line 1 (after #!) should say {LICENCE}: {without}"


def test_no_source_is_too_long_for_one_head():
    long = {name(path): lines for path in sources() if (lines := len(path.read_text().splitlines())) > LONGEST}
    assert not long, f"more than {LONGEST} lines: {long}"


def test_no_path_of_a_machine_is_committed():
    pattern = re.compile(r"(?<![\w.~-])/(work|root|farm|home/\w+)/")
    found = [
        f"{name(path)}:{number}"
        for path, text in texts()
        if path != Path(__file__)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"paths of one machine: {found}"


def test_no_build_script_names_a_mirror():
    # The machine's own apt and pip configuration says where packages come from.
    scripts = [path for path in sources() if path.suffix in (".sh", ".mk") or path.name in ("Makefile", "run")]
    address = re.compile(r"(https?|ftp)://(?!127\.|localhost)")
    found = [name(path) for path in scripts if address.search(path.read_text())]
    assert not found, f"addresses in build scripts: {found}"


def test_nothing_is_left_for_later():
    # Split, so that this file does not find itself.
    word = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    found = [name(path) for path, text in texts() if path.suffix in SOURCES and word.search(text)]
    assert not found, f"unfinished marks: {found}"
