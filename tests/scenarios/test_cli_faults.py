# SPDX-License-Identifier: MIT
"""A fault of the program itself is exit status 2 and one sentence, in every command: never an answer, never a traceback."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.cli import main


def broken():
    raise KeyError("a name with\na line end")


@pytest.mark.parametrize("command", main.COMMANDS)
def test_a_fault_in_a_command_is_no_answer(command, monkeypatch, capsys):
    app = importlib.import_module(main.COMMANDS[command]).app
    for registered in app.registered_commands:
        monkeypatch.setattr(registered, "callback", broken)
    name = app.registered_commands[0].name or getattr(app.registered_commands[0].callback, "__name__", "")
    single = len(app.registered_commands) == 1 and not app.registered_groups
    monkeypatch.setattr(sys, "argv", ["phonetrust", command] if single else ["phonetrust", command, name])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.out == ""
    lines = said.err.strip().splitlines()
    assert len(lines) == 1 and "a fault of this program" in lines[0] and "KeyError" in lines[0], said.err


PROGRAM = Path(sys.executable).parent / "phonetrust"


def test_an_answer_that_cannot_be_written_is_no_answer():
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [PROGRAM, "plan", "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert result.returncode == 2 and "cannot be written: No space left on device" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_leaves_no_traceback():
    running = subprocess.Popen([PROGRAM, "plan", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running.stdout.close()
    said = running.stderr.read()
    running.wait(120)
    running.stderr.close()
    assert "Traceback" not in said


@pytest.mark.parametrize("module", ["typer", "host_tools.cli.main", "rich.table"])
def test_ctrl_c_while_the_program_is_loaded_leaves_no_traceback(module):
    """The interrupt comes when `module` is imported."""
    script = f"""
import builtins, os, signal, sys
from host_tools.cli.start import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
whole = builtins.__import__
def load(name, *rest):
    if name == {module!r}:
        os.kill(os.getpid(), signal.SIGINT)
    return whole(name, *rest)
builtins.__import__ = load
sys.argv = ["phonetrust", "plan", "--help"]
main()
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert result.returncode == 130 and "Traceback" not in result.stderr, result.stderr
