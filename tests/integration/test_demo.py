# SPDX-License-Identifier: MIT
"""`make run`'s demonstration checks each boot itself, and its exit status says whether all boots were right."""

import re
import subprocess
import sys
from pathlib import Path

from tests.helpers.servers.demonstration import REASONS, demonstrated

PICTURE = Path(__file__).resolve().parent.parent.parent / "docs" / "boot.svg"


def words(picture):
    """The text of an SVG, without the markup around it: that belongs to the library that writes it."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text())


def test_the_boards_program_boots_as_told_and_as_the_picture_in_readme_shows(tmp_path):
    assert demonstrated("micropython", "--picture", str(tmp_path / "boot.svg")) == REASONS
    assert words(tmp_path / "boot.svg") == words(PICTURE), (
        "README shows another run: `make run` writes its picture anew"
    )


def test_a_picture_that_cannot_be_written_is_told_before_the_run(tmp_path):
    command = [sys.executable, "-m", "host_tools.demo", "micropython", "--picture", str(tmp_path / "none" / "boot.svg")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no folder" in done.stderr
