# SPDX-License-Identifier: MIT
"""Each citation of docs/spec in code, tests and pages leads somewhere: page, rule, section (docs/spec/README.md)."""

import re
import subprocess
from pathlib import Path

from agent.trust.reasons import codes, is_ours

ROOT = Path(__file__).resolve().parent.parent.parent
SPEC = ROOT / "docs" / "spec"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

RULE = r"[A-Z]\d{1,2}\b(?!\.\d)"
#: A rule begins a list item or a table's row, in bold.
DEFINITION = re.compile(rf"^(?:- |\| )\*\*({RULE})", re.MULTILINE)
#: "docs/spec/rules.md, L4", "docs/spec/rules.md, L4 and L5", "docs/spec/rules.md, L1 to L7 and A1"
RULES = rf"{RULE}(?:(?:, | and | to | or ){RULE})*"
CITATION = re.compile(rf"(docs/)?\bspec/([\w-]+\.md)(?:, ({RULES}))?(?:, '([^']+)')?")
IN_SPEC = re.compile(rf"\b([\w-]+\.md), ({RULES})")
#: A numbering of another page than docs/spec, or an old one.
OTHER_NUMBERING = re.compile(r"\b[Rr]ules? \d")


def pages():
    """Text of every page of docs/spec by its name."""
    return {path.name: path.read_text() for path in sorted(SPEC.glob("*.md"))}


def defined():
    """rule -> [the pages that have it]."""
    found = {}
    for page, text in pages().items():
        for rule in DEFINITION.findall(text):
            found.setdefault(rule, []).append(page)
    return found


def between(first, last):
    """The rules from one to another of the same letter."""
    return [f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1)]


def each(rules):
    """The single rules of "L1 to L7 and A1"."""
    found = re.findall(RULE, rules)
    for first, last in re.findall(rf"({RULE}) to (?=({RULE}))", rules):
        found += between(first, last)
    return found


def cited():
    """(file and citation, page, rules or "", title or "") of each citation outside docs/spec, also over two lines."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in listing.stdout.decode().rstrip("\0").split("\0"):
        if "/vectors_own/stores/" in name:  # readers as they were released
            continue
        path = ROOT / name
        if path == Path(__file__) or path.parent == SPEC or not path.is_file():
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for match in CITATION.finditer(re.sub(r"\s*\n\s*(?:#|\*|//)?\s*", " ", text)):
            page = match[2] if match[1] or path.parent == SPEC.parent else f"docs/spec/ for {match[2]}"
            yield f"{name}: {match[0]}", page, match[3] or "", match[4] or ""


def test_each_rule_has_a_number_of_its_own():
    twice = {rule: where for rule, where in defined().items() if len(where) > 1}
    assert not twice, f"rules that stand more than once: {twice}"


def test_the_numbers_of_a_letter_have_no_gap():
    # The number of a deleted rule stays, with a note at its place ("**L9** is no longer used").
    letters = {}
    for rule in defined():
        letters.setdefault(rule[0], []).append(int(rule[1:]))
    gaps = {
        letter: sorted(numbers)
        for letter, numbers in letters.items()
        if sorted(numbers) != list(range(1, len(numbers) + 1))
    }
    assert letters and not gaps, gaps


def test_every_citation_leads_to_a_rule_or_a_section():
    texts, rules = pages(), defined()
    found = list(cited())
    wrong = []
    for where, page, cites, title in found:
        if page not in texts:
            wrong.append(f"{where} (no such page)")
            continue
        wrong += [f"{where} ({rule} is not on that page)" for rule in each(cites) if page not in rules.get(rule, [])]
        if title and not re.search(rf"^#+ {re.escape(title)}$", texts[page], re.MULTILINE):
            wrong.append(f"{where} (no such section)")
    assert len(found) > 30, "the citations were not found"
    assert not wrong, wrong


def test_the_pages_cite_each_other_rightly():
    rules, wrong = defined(), []
    for page, text in pages().items():
        text = re.sub(r"\s+", " ", text)
        for other, cites in IN_SPEC.findall(text):
            wrong += [f"{page}: {other}, {rule}" for rule in each(cites) if other not in rules.get(rule, [])]
        wrong += [f"{page}: {rule}" for rule in re.findall(rf"\b{RULE}", text) if rule not in rules]
    assert not wrong, f"rules that no page has: {wrong}"


def test_there_is_one_numbering_of_the_rules():
    folders = ("agent", "hal", "host_tools", "native", "boards", "tests")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".pyi", ".c", ".h") and path != Path(__file__)
        for line in path.read_text().splitlines()
        if OTHER_NUMBERING.search(line)
    ]
    assert not found, f"cite docs/spec, such as 'docs/spec/rules.md, L4': {found}"


def test_the_files_that_the_architecture_names_are_there():
    named = re.findall(
        r"`((?:agent|hal|native|host_tools|boards|tests)/[\w/.]+\.(?:pyi?|h|c))`", ARCHITECTURE.read_text()
    )
    assert len(named) > 20, "no file names were found"
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_a_reason_is_marked_as_ours_unless_the_law_has_it():
    law = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", " ".join(pages().values())))
    ours = {reason for reason in codes() if is_ours(reason)}
    assert [reason for reason in codes() if (reason in law) == (reason in ours)] == []
