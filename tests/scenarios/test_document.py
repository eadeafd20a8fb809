# SPDX-License-Identifier: MIT
"""docs/procedures.md has each procedure once, in order, and nothing else; each compares its own section itself."""

from pathlib import Path

import typer

from host_tools.lab.commands import app as commands
from tests.helpers.lab import document, guide
from tests.helpers.lab.guide_plays import PLAYS

FOLDER = Path(__file__).resolve().parent
RULES = FOLDER.parents[1] / "docs" / "spec" / "procedures.md"


def test_the_document_is_made_of_the_procedures_and_nothing_else():
    text = document.FILE.read_text()
    assert text == document.document(document.procedure_modules(), document.sections(text), PLAYS)


def test_each_procedure_has_a_title_of_its_own():
    titles = [
        document.title(function) for module in document.procedure_modules() for function in document.scenarios(module)
    ]
    titles += [play.title for play in PLAYS]
    assert len(set(titles)) == len(titles) >= 30


def test_all_files_of_procedures_are_in_the_document():
    files = sorted(path.stem for path in document.FILE.parents[1].glob("tests/scenarios/test_procedures_*.py"))
    assert files == sorted(f"test_procedures_{name}" for name in document.ORDER)


def test_what_differs_from_run_to_run_is_left_out():
    said = "ITL is signed by CN=lab-pub.lab.example,OU=Voice,O=Lab,C=DE (serial 0b33), whose certificate is in the installed ITL."
    assert (
        document.stable(said) == "ITL is signed by CN=lab-pub.lab.example, whose certificate is in the installed ITL."
    )


def test_each_step_of_the_guide_has_its_command_and_its_test():
    titles = {play.title for play in PLAYS}
    lab = typer.main.get_command(commands.app)
    for rule, _name, steps in guide.GUIDE:
        assert f"**{rule} " in RULES.read_text() or f"**{rule}**" in RULES.read_text(), rule
        for step, command, test in steps:
            if "::" in test:
                file, _, name = test.partition("::")
                assert f"\ndef {name}(" in (FOLDER / f"{file}.py").read_text(), test
            else:
                assert test in titles, test
            if guide.is_command(command):
                found = lab
                for word in command.split():
                    if word.startswith("-") or not hasattr(found, "commands"):
                        break
                    assert word in found.commands, f"{step}: {command}"
                    found = found.commands[word]
