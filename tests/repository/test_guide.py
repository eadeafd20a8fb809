# SPDX-License-Identifier: MIT
"""docs/guide.md: every command in it exists, with all options that the guide uses, and every ready plan can be read."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from host_tools.cli.main import app
from host_tools.plan.document import read_plan

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide.md").read_text()
COMMANDS = re.findall(r"^phonetrust (.+?)(?:\s+#.*)?$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_guide_exists_with_its_options(line):
    words = shlex.split(line.partition(" > ")[0])
    command = typer.main.get_command(app).get_command(None, words[0])
    known = {name for each in command.params for name in each.opts}
    assert [word for word in words[1:] if word.startswith("--") and word not in known] == []


def test_the_guide_shows_every_command_for_administrators():
    assert {line.split()[0] for line in COMMANDS} == {"inspect", "diff", "fetch", "preflight", "plan"}


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "plans").glob("*.toml")), ids=lambda path: path.stem)
def test_a_ready_plan_has_no_mistake(path):
    assert read_plan(path)[1] == []
