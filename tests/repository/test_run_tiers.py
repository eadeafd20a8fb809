# SPDX-License-Identifier: MIT
"""The tier runner must fail where a broken harness would look like success."""

import pytest

from tests import run_tiers


@pytest.fixture
def tier(tmp_path, monkeypatch):
    """A function that runs a tier of one file with this text: (passed, failed, skipped)."""
    monkeypatch.setattr(run_tiers, "JUNIT", tmp_path)

    def run(text):
        (tmp_path / "test_it.py").write_text(text)
        return run_tiers.run("trial", [str(tmp_path)], ["-q", "-c", str(run_tiers.ROOT / "pyproject.toml")])

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


def test_an_unknown_tier_is_named(capsys):
    assert run_tiers.main(["units"]) == 2
    assert "'units'" in capsys.readouterr().err


def test_a_tier_without_tests_is_no_success(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run_tiers, "JUNIT", tmp_path)
    monkeypatch.setitem(run_tiers.TIERS, "hil", ["tests/no-such-folder"])
    assert run_tiers.main(["hil"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
