# SPDX-License-Identifier: MIT
"""`phonetrust completion`: one command installs it, and the shells then complete."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.cli.main import COMMANDS

PROGRAMS = Path(sys.executable).parent


def run(home, *command, **more):
    environment = {"HOME": str(home), "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", **more}
    result = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr
    return result


def test_a_bash_completes_commands_and_options_once_it_is_installed(tmp_path):
    installed = run(tmp_path, "phonetrust", "completion", "bash", "--install")
    assert installed.returncode == 0 and "bash completes phonetrust" in installed.stdout
    script = (
        "source ~/.bashrc; complete -p phonetrust; COMP_WORDS=(phonetrust pl); COMP_CWORD=1; _phonetrust_completion phonetrust; "
        'echo "${COMPREPLY[*]}"; COMP_WORDS=(phonetrust plan --vis); COMP_CWORD=2; _phonetrust_completion phonetrust; '
        'echo "${COMPREPLY[*]}"'
    )
    lines = run(tmp_path, "bash", "-c", script).stdout.split()
    assert lines[-2:] == ["plan", "--visits"]
    before = (tmp_path / ".bashrc").read_text()
    run(tmp_path, "phonetrust", "completion", "bash", "--install")
    assert (tmp_path / ".bashrc").read_text().split() == before.split(), "a second time changes nothing"


@pytest.mark.parametrize(
    "shell, place", [("zsh", ".zfunc/_phonetrust"), ("fish", ".config/fish/completions/phonetrust.fish")]
)
def test_zsh_and_fish_find_their_script_and_are_answered(tmp_path, shell, place):
    assert run(tmp_path, "phonetrust", "completion", shell, "--install").returncode == 0
    printed = run(tmp_path, "phonetrust", "completion", shell).stdout
    assert (tmp_path / place).read_text().strip() == printed.strip() and f"complete_{shell}" in printed
    asked = {"_PHONETRUST_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    offered = run(tmp_path, "phonetrust", _TYPER_COMPLETE_ARGS="phonetrust ", **asked).stdout
    assert all(command in offered for command in COMMANDS)


def test_an_unknown_shell_and_a_home_that_cannot_be_written(tmp_path):
    assert run(tmp_path, "phonetrust", "completion", "csh").returncode == 2
    (tmp_path / ".bash_completions").write_text("a file")
    result = run(tmp_path, "phonetrust", "completion", "bash", "--install")
    assert result.returncode == 2 and ".bash_completions" in result.stderr
