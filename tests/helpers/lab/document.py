# SPDX-License-Identifier: MIT
"""docs/procedures.md, written from the scenarios: one section for each scenario, in the order of the files.

A scenario compares its own section with the file each time it runs, so the file says what the phone does. `make docs`
writes it anew.
"""

import importlib
import inspect
import os
import re
from pathlib import Path

from agent.trust.reasons import codes, meaning
from tests.helpers.lab.guide import RULES, table

WRITE = "PHONETRUST_WRITE_DOCS"  # set: the document is written from this run instead of compared with it
FILE = Path(__file__).resolve().parents[3] / "docs" / "procedures.md"
ORDER = (
    "certificates",
    "signers",
    "rollback",
    "migration",
    "mixed_mode",
    "servers",
    "restarts",
    "upgrade",
    "visitors",
    "open",
)
HEAD = """\
# Procedures of an administrator, and what a phone makes of them

The scenarios of `tests/scenarios/test_procedures_*.py` write this file from their own results (`make docs`), and a scenario
fails if this file says something else. Each scenario has a real cluster (`phonetrust lab`) and a real phone. The phone has
taken the cluster's lists and configuration before, unless the text says otherwise. A decision has an outcome and a **reason**.
A refusal is in the words that the phone gives the administrator, without serial numbers and with only the CN of a name. The
text leaves out a missing CTL, the state `trusted` and the mode `nonsecure`. Clusters are of the kind `modern` unless the text
says otherwise: ITLRecovery signs lists, CallManager signs files ([lab.md](lab.md) has the kinds). A phone that refuses a file
keeps its old file; the scenarios compare its flash byte for byte.
"""
GUIDE_CHAPTER = """\
## The guide's steps

The steps of the guide's procedures, in the guide's order, with the commands of `phonetrust lab` ([lab.md](lab.md)).

"""
OVERVIEW = """\
## Overview

The most telling decision of each start of the phone, and of each connection to a server.

| procedure | decisions, in order |
| --- | --- |
"""
_DECISION = re.compile(r"(?:^   - |\. )([A-Za-z ]+) (accepted|refused): \*\*([a-z-]+)\*\*", re.MULTILINE)


def title(function):
    """The first line of a scenario's docstring."""
    return inspect.getdoc(function).partition("\n")[0]


def section(function, steps, kinds=()):
    """The section of a scenario; `kinds` are its clusters as (name, kind)."""
    _, _, text = inspect.getdoc(function).partition("\n")
    lines = [f"### {title(function)}", ""]
    if text.strip():
        lines += [" ".join(text.split()), ""]
    special = [f"cluster `{name}` is `{kind}`" for name, kind in kinds if kind != "modern"]
    if special:
        lines += [f"Here {' and '.join(special)}.", ""]
    for number, step in enumerate(steps, 1):
        lines.append(f"{number}. {step.event}")
        accepted = [
            f"{what} accepted: **{reason}**." for what, outcome, reason, _ in step.decisions if outcome == "accepted"
        ]
        if accepted:
            lines.append(f"   - {' '.join(accepted)}")
        before = None
        for what, outcome, reason, words in step.decisions:
            if outcome == "refused":
                words = stable(words)
                same = before is not None and _after_name(words) == _after_name(before)
                lines.append(f"   - {what} refused: **{reason}**. {'For the same reason.' if same else words}")
                before = words
        if step.state:
            lines.append(f"   - The phone is {step.state}.")
    return "\n".join([*lines, ""])


def _after_name(words):
    """What follows the file and its signer, which differ where two keys of a cluster sign lists and files."""
    return words.partition(", a signer that ")[2] or words


def chapter(module):
    """The heading of a file of scenarios, from its docstring."""
    head, _, text = inspect.getdoc(module).partition("\n")
    return f"## {head.rstrip('.')}\n" + (f"\n{text.strip()}\n" if text.strip() else "")


def scenarios(module):
    """The scenarios of a file, in its order."""
    return [item for name, item in vars(module).items() if name.startswith("test_") and inspect.isfunction(item)]


PLAYS_CHAPTER = f"""\
## Steps left out, and swapped

Each procedure of the guide (the rule of [spec](spec/{RULES}) is named) as documented, without each of
its steps, and with two neighbours swapped. Services are restarted by hand where the steps say so. Each row has the most
telling decision of each restart, and of each connection to a server; refusals are bold. "The cluster refuses" is a step
that the lab does not do. Before each step the lab forecasts the phone's decisions word for word
(`tests/scenarios/test_steps_left_out.py`).
"""


def play_section(play, rows):
    """The section of a play (plays.py); `rows` is {variation: its result}."""
    lines = [f"### {play.title}", "", f"Rule {play.rule}.", ""]
    lines += [f"{number}. {step.said}" for number, step in enumerate(play.steps, 1)]
    lines += [
        "",
        "At the end: " + " ".join(step.said for step in play.last),
        "",
        "| steps | what comes of it |",
        "| --- | --- |",
    ]
    lines += [play_row(name, rows.get(name, "")) for name in play.variations()]
    return "\n".join([*lines, ""])


def play_row(name, result):
    """One row."""
    return f"| {name} | {result} |"


noted = {}  # title of a play -> {variation: what came of it}, of this run


def writing():
    """Whether the document is written from this run."""
    return WRITE in os.environ


def note_row(play, name, result):
    """Take the result of a variation: write it, or compare it with the document."""
    if writing():
        noted.setdefault(play.title, {})[name] = result
        return
    told = play_rows(sections(FILE.read_text()).get(play.title, "")).get(name)
    assert told == result, f"{FILE.name} tells another story; `make docs` writes it anew"


def play_rows(section):
    """{variation: its result} of a section."""
    return dict(re.findall(r"^\| (as documented|without \d+|\d+ before \d+) \| (.*) \|$", section, re.MULTILINE))


def document(modules, sections, plays=()):
    """The whole file; `sections` is {title: section}."""
    rows, parts, reasons = [], [], set()
    for module in modules:
        parts.append(chapter(module))
        for function in scenarios(module):
            found = sections[title(function)]
            parts.append(found)
            reasons |= {reason for _, _, reason in _DECISION.findall(found)}
            rows.append(f"| {title(function)} | {', '.join(_telling(found))} |\n")
    legend = "".join(f"| `{reason}` | {meaning(reason)} |\n" for reason in codes() if reason in reasons)
    if plays:
        parts.append(PLAYS_CHAPTER)
        parts += [sections[play.title] for play in plays]
    head = [
        HEAD,
        GUIDE_CHAPTER + table(),
        OVERVIEW + "".join(rows),
        "| reason | what it means |\n| --- | --- |\n" + legend,
    ]
    return "\n".join([*head, *parts])


def _telling(section):
    """For each step with decisions: the first refusal, else the first that changes anything, else the first."""
    for block in re.split(r"^\d+\. ", section, flags=re.MULTILINE)[1:]:
        found = _DECISION.findall(block)
        refused = [item for item in found if item[1] == "refused"]
        changed = [item for item in found if item[2] not in ("unchanged", "not-found")]
        for what, outcome, reason in (refused or changed[:1] or found)[:1]:
            yield f"{what} {reason if outcome == 'accepted' else f'**{reason}**'}"


def sections(text):
    """{title: section} of a written file."""
    found = {}
    for part in re.split(r"^(?=### )", text, flags=re.MULTILINE)[1:]:
        name, _, rest = part[4:].partition("\n")
        found[name] = f"### {name}\n" + re.split(r"^(?=## )", rest, flags=re.MULTILINE)[0].rstrip("\n") + "\n"
    return found


def stable(text):
    """A decision's text without the parts that differ from run to run: serial numbers, a name except its CN, the port
    2445 of the ITL's servers (a lab uses other ports), and the note that a server is not asked twice in one boot."""
    text = re.sub(r"not asked again in this boot \(((?:[^()]|\([^()]*\))*)\)", r"\1", text)
    text = re.sub(r" \(serial [0-9a-f]+\)", "", text)
    text = re.sub(r"; TVS [0-9.]+:2445: connection refused", "", text)
    text = re.sub(r"with \d{5} bytes", "with some 75000 bytes", text)  # ECDSA signatures differ in length
    return re.sub(r"(CN=[^,;\s]+)((?:[,;][A-Z]+=[^,;\s]+)+)", r"\1", text)


def procedure_modules():
    """The files of procedures, in the order of the document."""
    return [importlib.import_module(f"tests.scenarios.test_procedures_{name}") for name in ORDER]
