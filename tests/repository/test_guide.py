# SPDX-License-Identifier: MIT
"""docs/guide.md: every command in it exists, with all options that the guide uses, and every ready plan can be read."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.plan.document import read_plan

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide.md").read_text()
COMMANDS = re.findall(r"^phonetrust (.+?)(?:\s+#.*)?$", GUIDE, re.MULTILINE)


ADMINISTRATORS = {"inspect", "diff", "fetch", "preflight", "plan"}


def command(name):
    return typer.main.get_command(app).get_command(None, name)


def unknown_options(line):
    words = shlex.split(line.partition(" > ")[0])
    known = {name for each in command(words[0]).params for name in each.opts}
    return [word for word in words[1:] if word.startswith("--") and word not in known]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_guide_exists_with_its_options(line):
    assert unknown_options(line) == []


@pytest.mark.parametrize("name", sorted(ADMINISTRATORS | {"completion"}))
def test_help_is_a_manual_page(name):
    """Purpose, examples that can be typed, files, exit status; each option has words; nothing is wider than 80 columns."""
    sections = re.split(r"\[bold\](Examples|Files|Exit status)\[/\]", command(name).help)
    assert sections[1::2] == ["Examples", "Files", "Exit status"] and len(sections[0].split()) > 9
    examples = [line.strip() for line in sections[2].strip().splitlines()]
    assert len(examples) >= 2 and all(line.startswith(f"phonetrust {name} ") for line in examples)
    assert [unknown_options(line.removeprefix("phonetrust ")) for line in examples] == [[]] * len(examples)
    assert "0 " in sections[6] and "2 " in sections[6]
    assert [each.name for each in command(name).params if not getattr(each, "help", None) and each.name != "help"] == []
    shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "80"}).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert [line for line in examples if f"   {line} " not in shown] == [], "an example is one line"


def test_the_guide_shows_every_command_for_administrators():
    assert {line.split()[0] for line in COMMANDS} == ADMINISTRATORS


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "plans").glob("*.toml")), ids=lambda path: path.stem)
def test_a_ready_plan_has_no_mistake(path):
    assert read_plan(path)[1] == []
