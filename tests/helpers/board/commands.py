# SPDX-License-Identifier: MIT
"""Running `phonetrust` as a person does."""

import os
import subprocess
import sys

from host_tools.image import board as boards

COMMAND = [sys.executable, "-c", "from host_tools.cli.main import main; main()"]


def phonetrust(*arguments, timeout=280):
    """Run it without a terminal to its end -> CompletedProcess with text."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def inner(report):
    """Environment of a test run that a test starts: this source tree, and records beside its report, not over ours."""
    return {"PYTHONPATH": str(boards.TOP), "PHONETRUST_HIL_FOLDER": str(report.parent / "hil")}
