# SPDX-License-Identifier: MIT
"""The JSON documents of plan, preflight and diff have the keys that docs/guide.md names, no others, and no key is missing."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from tests.helpers.lab.key_pool import PooledKeys

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "guide.md").read_text()
TABLE = GUIDE.partition("## JSON for scripts")[2].partition("<!--")[0]


def documented(name):
    """The keys that the guide names for a document. What stands in parentheses explains them."""
    row = re.search(rf"^\| {re.escape(name)} \| (.*) \|$", TABLE, re.MULTILINE)
    assert row, f"the guide does not have {name}"
    words = re.sub(r"\([^()]*\)", "", row[1])
    return set(re.findall(r"`([^`]+)`", words))


def printed(*arguments, status):
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


@pytest.fixture
def folders(classic, tmp_path, monkeypatch):
    """Two folders of one cluster: before its TVS certificate was renewed, and after."""
    monkeypatch.setattr("host_tools.plan.clusters.KeyMaker", PooledKeys)
    found = []
    for name in ("before", "after"):
        found.append(tmp_path / name)
        found[-1].mkdir()
        for file, content in classic.state.published["lab-pub"].items():
            (found[-1] / file).write_bytes(content)
        classic.regenerate("tvs")
    return found


@pytest.mark.parametrize("search", [(), ("--no-search",)])
def test_the_documents_of_plan(classic, tmp_path, folders, search):
    (tmp_path / "fleet.csv").write_text("device\nSEP001122334401\nlobby\n")
    plan = tmp_path / "plan.toml"
    plan.write_text('steps = ["regenerate tvs", "regenerate tftp", "restart all phones", "restore"]')
    common = (plan, "--cluster", classic.path, "--fleet", tmp_path / "fleet.csv")
    found = printed("plan", *common, *search, status=1)
    assert set(found) == documented("`plan`")
    for step in found["steps"]:
        assert set(step) == documented("`plan`: `steps`")
        assert set(step["counts"]) == {"accepted", "unchanged", "waits", "locked-out"}
        for cell in step["groups"]:
            assert set(cell) == documented("`plan`: `steps`: `groups`")
            assert all(
                set(each) == {"kind", "outcome", "reason", "text"} for each in found["decisions"][cell["decisions"]]
            )
    assert [set(group) for group in found["groups"]] == [documented("`plan`: `groups`")]
    assert [set(row) for row in found["bad_rows"]] == [documented("`plan`: `bad_rows`")]
    assert (found["safe_order"] is None) == bool(search)
    assert search or set(found["safe_order"]) == documented("`plan`: `safe_order`")
    plan.write_text('steps = ["regenerate tvs", "regenerate tftp", "restart all phones"]')
    assert search or set(printed("plan", *common, status=1)["safe_order"]) == documented("`plan`: `safe_order`")
    assert set(printed("plan", "check", *common, status=1)) == documented("`plan check`")


def test_the_documents_of_preflight(classic, folders, tmp_path):
    before, after = folders
    lists = (after / "ITLFile.tlv", "--installed-itl", before / "ITLFile.tlv")
    assert set(printed("preflight", *lists, status=0)) == documented("`preflight FILE`")
    classic.regenerate("tftp")
    (tmp_path / "ITLFile.tlv").write_bytes(classic.published("ITLFile.tlv"))
    missing = printed("preflight", tmp_path / "ITLFile.tlv", *lists[1:], status=2)
    assert missing["reason"] == "tvs-needed" and set(missing) == documented("`preflight FILE`")
    boot = printed("preflight", "--boot", after, status=0)
    live = printed("preflight", "--from", "127.0.0.1:9", status=2)
    assert set(boot) == documented("`preflight --boot`") and set(live) == documented("`preflight --from`")
    for each in (*boot["decisions"], *live["decisions"]):
        assert set(each) == documented("`preflight`: `decisions`")


def test_the_documents_of_diff(folders):
    before, after = folders
    (after / "new.xml").write_bytes(b"x")
    found = printed("diff", before, after, status=1)
    assert set(found) == documented("`diff`")
    files = {each["change"]: each for each in found["files"] if each["file"] in ("ITLFile.tlv", "new.xml")}
    possible = documented("`diff`: `files`")
    assert set(files["changed"]) == possible - {"signer", "error"}
    assert set(files["added"]) == {"file", "change"}
    assert set(files["changed"]["list"]) == documented("`diff`: `list`")
    assert set(files["changed"]["phones"]) == documented("`diff`: `phones`")
    assert {"how", "old", "new"} == set(files["changed"]["list"]["replaced"][0])
