# SPDX-License-Identifier: MIT
"""A fault of the program itself is exit status 2 and one sentence, in every command: never an answer, never a traceback."""

import importlib
import sys

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
