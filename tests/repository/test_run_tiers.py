# SPDX-License-Identifier: MIT
"""The tier runner must fail where a broken harness would look like success."""

import os
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

from tests import run_tiers

OPTIONS = ["-q", "-c", str(run_tiers.ROOT / "pyproject.toml")]


@pytest.fixture
def tier(tmp_path, monkeypatch):
    """A function that runs a tier with a part of one file for each of these texts: (passed, failed, skipped)."""
    monkeypatch.setattr(run_tiers, "JUNIT", tmp_path)

    def run(*texts):
        runs = []
        for number, text in enumerate(texts):
            folder = tmp_path / str(number)
            folder.mkdir(exist_ok=True)
            (folder / "test_it.py").write_text(text)
            runs.append(run_tiers.Run("trial", f"part-{number}", [str(folder), *OPTIONS]))
        run_tiers.run_all(runs)
        return run_tiers.outcome("trial", runs)

    return run


def test_outcomes_are_counted(tier):
    text = "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\ndef test_c(): pytest.skip('no')\n"
    assert tier(text) == (1, 1, 1)


def test_a_tier_that_skips_all_has_failed(tier, capfd):
    assert tier("import pytest\ndef test_a(): pytest.skip('no board')\n") == (0, 1, 1)
    heard = capfd.readouterr().out
    assert "tier trial: no test ran" in heard
    assert "test_it.py::test_a - Skipped: no board" in heard, "skipped tests are listed by name with their reason"


def test_a_file_that_cannot_be_imported_fails_its_tier(tier):
    passed, failed, _ = tier("import no_such_module\ndef test_a(): pass\n")
    assert (passed, failed) == (0, 1)


def test_parts_are_counted_together_and_each_line_names_its_part(tier, tmp_path, capfd):
    assert tier("def test_a(): pass\n", "def test_b(): pass\ndef test_c(): assert 0\n") == (2, 1, 0)
    told = [case.get("name") for case in xml.parse(tmp_path / "trial.xml").iter("testcase")]
    assert told == ["test_a", "test_b", "test_c"]
    heard = capfd.readouterr().out
    assert "part-0 | 1 passed" in heard and "part-1 | 1 failed, 1 passed" in heard


def test_parts_run_beside_each_other(tier, tmp_path):
    ours, theirs = (str(tmp_path / name) for name in ("ours", "theirs"))
    os.mkfifo(ours)
    os.mkfifo(theirs)  # nobody's opening of a pipe returns before the other side's
    first = f"def test_a():\n    open({ours!r}, 'w').close()\n    open({theirs!r}).close()\n"
    second = f"def test_b():\n    open({ours!r}).close()\n    open({theirs!r}, 'w').close()\n"
    assert tier(first, second) == (2, 0, 0)


def test_a_part_without_chosen_tests_has_not_failed(tier):
    assert tier("def test_a(): pass\n", "") == (1, 0, 0)


def test_a_part_that_is_cut_short_fails_its_tier(tier, capfd):
    assert tier("def test_a(): pass\n", "import os\ndef test_b(): os._exit(3)\n") == (1, 1, 0)
    assert "tier trial: pytest ended with status 3" in capfd.readouterr().out


def test_an_unknown_tier_is_named(capsys):
    assert run_tiers.main(["units"]) == 2
    assert "'units'" in capsys.readouterr().err


def test_a_tier_without_tests_is_no_success(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run_tiers, "JUNIT", tmp_path)
    monkeypatch.setitem(run_tiers.TIERS, "hil", ["tests/no-such-folder"])
    assert run_tiers.main(["hil"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize("name", run_tiers.TIERS)
def test_each_part_has_its_place_in_the_queue(name):
    parts = run_tiers.parts_of(name)
    assert parts and set(parts) <= set(run_tiers.LONGEST_FIRST)


def test_each_test_of_boards_is_in_one_part():
    """A list of names with options does not show that; pytest's own collection does."""

    def collected(*arguments):
        command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", *arguments]
        done = subprocess.run(command, cwd=run_tiers.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return {
            (path, int(count))
            for path, count in (line.split(": ") for line in done.stdout.splitlines() if ": " in line)
        }

    counts = {}
    for arguments in run_tiers.PARTS["hil"].values():
        for path, count in collected(*arguments):
            counts[path] = counts.get(path, 0) + count
    assert set(counts.items()) == collected("tests/hil")
