# SPDX-License-Identifier: MIT
"""What an administrator gets wrong, case by case: the command names the line and the reason, and answers the rest.

The cases: a checksum that no known list has, a fleet row with a mistake, a step that the cluster cannot do, two phones of one
name, a damaged list. tests/scenarios/test_cli_live.py has the server that goes away midway."""

import csv
import hashlib
import json
import os
import re
import shutil

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from tests.helpers.lab.key_pool import PooledKeys

GOOD = "SEP001122334401,yes\nSEP001122334402,yes\n"
TOO_FAST = 'steps = ["regenerate tvs", "regenerate tftp", "restart all phones"]'


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "80"})
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    return result


def words(result):
    """The output without line breaks."""
    return " ".join(result.output.split())


@pytest.fixture
def planned(classic, tmp_path, monkeypatch):
    """planned(fleet, plan, *more) -> the Result of `phonetrust plan` for a fleet (text or bytes) and a plan (text)."""
    monkeypatch.setattr("host_tools.plan.clusters.KeyMaker", PooledKeys)

    def plan_of(fleet, plan='steps = ["regenerate tvs", "restart all phones"]', *more, check=False):
        (tmp_path / "fleet.csv").write_bytes(fleet if isinstance(fleet, bytes) else fleet.encode())
        (tmp_path / "plan.toml").write_text(plan)
        start = ["plan", "check"] if check else ["plan"]
        common = ["--cluster", classic.path, "--fleet", tmp_path / "fleet.csv"]
        return run(*start, tmp_path / "plan.toml", *common, *more)

    return plan_of


# A fleet row that cannot be used: each with the words that tell the reason. Line 2 and line 4 are good.
ROWS = {
    "a checksum that no known list has": ("device,itl", f"SEP001122334403,{'a' * 64}", "no known list has the checksum aaaa"),
    "a list that is not there": ("device,itl", "SEP001122334403,old.tlv", "the list old.tlv cannot be read: No such file"),
    "a list that is a folder": ("device,itl", "SEP001122334403,.", "the list . cannot be read: Is a directory"),
    "a name that no phone has": ("device,online", "reception,yes", "'reception' is no device name"),
    "neither yes nor no": ("device,online", "SEP001122334403,maybe", "online is 'maybe', not yes or no"),
    "no number of a node": ("device,servers", "SEP001122334403,first", "servers is 'first', not numbers of nodes"),
    "a cell too many": ("device,online", "SEP001122334403,yes,no", "it has 3 cells, and there are 2 columns"),
    "a cell too few": ("device,online", "SEP001122334403", "it has 1 cells, and there are 2 columns"),
    "two phones of one name": ("device,online", "SEP001122334401,yes", "SEP001122334401 is in line 2 already"),
    "one name in two spellings": ("device,online", "sep001122334401,yes", "SEP001122334401 is in line 2 already"),
    "a quotation mark that is not closed": ("device,batch", '"SEP001122334403,x', "a quotation mark is not closed in this line"),
    "bytes of another encoding": ("device,batch", b"SEP001122334403,M\xfcnchen", "it has bytes that are not UTF-8"),
    "a control character": ("device,online", "\x1b[2JSEP001122334403,yes", r"'\x1b[2JSEP001122334403' is no device name"),
}  # fmt: skip


@pytest.mark.parametrize("case", ROWS)
def test_a_fleet_row_with_a_mistake_is_told_by_its_line_and_the_others_are_answered(planned, case):
    header, row, reason = ROWS[case]
    row = row if isinstance(row, bytes) else row.encode()
    fleet = b"\n".join([header.encode(), b"SEP001122334401,", row, b"SEP001122334402,", b""])
    result = planned(fleet)
    assert result.exit_code == 2 and "2 phones in 1 group" in words(result), result.output
    assert f"Left out: fleet, line 3: {reason}" in words(result)
    found = json.loads(planned(fleet, 'steps = ["back up"]', "--json").stdout)
    assert [each["line"] for each in found["bad_rows"]] == [3] and found["bad_row_count"] == 1
    assert found["phones"] == 2 and len(found["steps"]) == 2
    checked = planned(fleet, check=True)
    assert checked.exit_code == 1 and f"line 3: {reason}" in checked.output
    assert "2 phones in 1 group; 1 mistake." in checked.output


def test_a_lockout_is_an_answer_even_where_rows_are_left_out(planned, tmp_path):
    result = planned("device,online\nreception,yes\n" + GOOD, TOO_FAST, "--visits", tmp_path / "visits.csv")
    assert result.exit_code == 1 and "Left out: fleet, line 2" in result.output
    visited = [row["device"] for row in csv.DictReader((tmp_path / "visits.csv").open())]
    assert visited == ["SEP001122334401", "SEP001122334402"]


def test_a_fleet_of_which_no_row_is_good_has_no_answer(planned):
    for more in ((), ("--json",)):
        result = planned("device,online\nreception,yes\nlobby,yes\n", TOO_FAST, *more)
        assert result.exit_code == 2 and result.stdout == ""
        assert "each of its 2 rows has a mistake; fleet, line 2: 'reception' is no device name" in result.stderr
        assert "line 3: 'lobby'" in result.stderr
    assert "2 mistakes" in planned("device,online\nreception,yes\nlobby,yes\n", check=True).output


def test_more_bad_rows_than_are_told_are_counted(planned, monkeypatch):
    monkeypatch.setattr("host_tools.plan.groups.MOST_TOLD", 2)
    result = planned("device\n" + "lobby\n" * 5 + "SEP001122334401\n")
    assert "line 3: 'lobby'" in result.output and "line 4" not in result.output and "3 more rows" in result.output


STEPS = {
    "regenerate tvs on node 7": "node 7 does not exist; this cluster has nodes 1 to 1",
    "regenerate nothing": "'nothing' cannot be regenerated; these can: tftp",
    "itl reset remotekey": "no ITLRecovery key of this cluster was exported",
    "itl sign token-9": "'token-9' does not sign ITLs",
    "ctl update": "the cluster has no CTL",
    "restore": "nothing was backed up before this step",
    "switch version": "there is no inactive version",
    "stop telephony": "'telephony' cannot be stopped",
    "move all phones to node 3": "node 3 does not exist",
    "hand out new-files": "a lab cluster makes its files itself",
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_the_cluster_cannot_do_is_told_and_the_next_ones_are_carried_out(planned, step):
    plan = f'steps = ["back up", "{step}", "regenerate tvs", "restart all phones"]'
    plan = plan.replace('"back up", ', "") if step == "restore" else plan
    number = 1 if step == "restore" else 2
    result = planned("device,online\n" + GOOD, plan, "--no-search")
    assert result.exit_code == 1 and f"Step {number} cannot be done: {STEPS[step]}" in words(result)
    assert re.search(r"regenerate tvs +2 +- +- +-\n", result.output), "the step after it is answered"
    found = json.loads(planned("device,online\n" + GOOD, plan, "--no-search", "--json").stdout)
    assert found["impossible"] == [number] and STEPS[step] in found["steps"][number]["problem"]


@pytest.fixture
def folder(classic, tmp_path):
    """A folder of files that a cluster hands out."""
    place = tmp_path / "served"
    place.mkdir()
    for name, content in classic.state.published["lab-pub"].items():
        (place / name).write_bytes(content)
    return place


def damage(path):
    path.write_bytes(path.read_bytes()[:-7])
    return path


def test_a_damaged_list_in_the_fleet_is_told_with_its_line_and_the_others_are_answered(planned, folder, tmp_path):
    shutil.copy(folder / "ITLFile.tlv", tmp_path / "whole.tlv")
    bad = damage(shutil.copy(folder / "ITLFile.tlv", tmp_path / "damaged.tlv"))
    digest = hashlib.sha256(bad.read_bytes()).hexdigest()
    fleet = f"device,itl\nSEP001122334401,whole.tlv\nSEP001122334402,damaged.tlv\nSEP001122334403,{digest}\n"
    result = planned(fleet, 'steps = ["restart all phones"]', "--json", "--lists", tmp_path)
    found = json.loads(result.stdout)
    assert result.exit_code == 2 and [each["outcome"] for each in found["steps"][1]["groups"]] == ["unchanged"]
    told = [(row["line"], row["text"]) for row in found["bad_rows"]]
    for (line, text), name, expected in zip(told, ("damaged.tlv", digest), (3, 4), strict=True):
        assert line == expected and re.match(rf"no phone can hold the list {name}: tag \d+, offset \d+: ", text), text


def test_a_damaged_list_is_told_with_its_place_by_each_command_and_other_files_are_answered(folder, tmp_path):
    before = tmp_path / "before"
    shutil.copytree(folder, before)
    (folder / "ringlist.xml").write_bytes(b"x")
    bad = damage(folder / "ITLFile.tlv")
    inspected = run("inspect", bad)
    assert inspected.exit_code == 1 and re.search(r"ITLFile.tlv, tag \d+, offset \d+: .*malformed", words(inspected))
    compared = run("diff", before, folder)
    assert compared.exit_code == 2 and re.search(
        r"ITLFile.tlv changed cannot be compared: tag \d+, offset", words(compared)
    )
    assert "ringlist.xml added" in words(compared)
    judged = run("preflight", "--boot", folder, "--html", tmp_path / "boot.html")
    assert judged.exit_code == 1 and "itl refused malformed ITL cannot be read: tag" in words(judged)
    assert "ctl accepted not-found" in words(judged) and "malformed" in (tmp_path / "boot.html").read_text()
    held = run("preflight", before / "ITLFile.tlv", "--installed-itl", bad)
    assert held.exit_code == 2 and re.search(
        r"no phone has this installed: .*ITLFile.tlv, tag \d+, offset", words(held)
    )
    bad.write_bytes(bad.read_bytes()[:300])
    short = run("diff", before / "ITLFile.tlv", bad)
    assert short.exit_code == 2 and re.search(
        r"no trust list: tag 2, offset 5: the header length \d+ runs past", words(short)
    )


def test_only_phones_that_are_off_are_locked_out_and_the_order_is_not_called_another_one(planned):
    plan = 'steps = ["regenerate tvs", "restart all phones", "regenerate tftp", "restart all phones"]'
    result = planned("device,online\nSEP001122334401,yes\nSEP001122334402,no\n", plan)
    assert result.exit_code == 1 and "Step 3 (regenerate tftp) locks phones out" in words(result)
    assert "In this order no phone that is online is locked out" in words(result) and "A safe order" not in words(
        result
    )
    assert "1 phone needs a visit at the end" in words(result)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_fleet_with_semicolons_or_tabs_is_read(planned, separator):
    rows = ["device,batch,online", 'SEP001122334401,"a,b",yes', 'SEP001122334402,"c ""d""",no']
    fleet = "\r\n".join(re.sub(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', separator, row) for row in rows)
    found = json.loads(planned("\ufeff" + fleet, 'steps = ["back up"]', "--json").stdout)
    assert [(each["batch"], each["online"]) for each in found["groups"]] == [("a,b", True), ('c "d"', False)]


@pytest.mark.parametrize(
    "fleet, reason",
    [
        (b"", "the first line must name the columns"),
        (b"device\n", "it has no phones"),
        ("device\nSEP001122334401\n".encode("utf-16"), "this is UTF-16; save the fleet as UTF-8"),
        (b"device,b\xfcro\n", "line 1: it has bytes that are not UTF-8"),
        (b'device,"batch\n', "line 1: a quotation mark is not closed"),
        (b"device,batch\nSEP001122334401," + b"x" * 5000, "line 2 is longer than 4096 characters"),
    ],
)
def test_a_fleet_that_cannot_be_read_at_all_is_one_sentence(planned, fleet, reason):
    result = planned(fleet)
    assert result.exit_code == 2 and result.stdout == "" and f"fleet.csv: {reason}" in result.stderr


def test_files_that_cannot_be_what_they_are_given_as(planned, folder, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    good = "device,online\n" + GOOD
    for result, reason in (
        (planned(good, TOO_FAST, "--lists", tmp_path / "nowhere"), "there is no such folder of known lists"),
        (planned(good, TOO_FAST, "--lists", tmp_path / "fleet.csv"), "there is no such folder of known lists"),
        (planned(good, TOO_FAST, "--html", tmp_path), "Is a directory"),
        (planned(good, TOO_FAST, "--visits", tmp_path / "no" / "v.csv"), "No such file or directory"),
        (run("plan", tmp_path, "--cluster", folder, "--fleet", tmp_path / "fleet.csv"), "Is a directory"),
        (run("plan", tmp_path / "plan.toml", "--cluster", folder, "--fleet", tmp_path / "pipe"), "this is a pipe"),
        (run("inspect", folder), "Is a directory"),
        (run("preflight", folder), "this is a folder; --boot judges its files"),
        (run("preflight", folder / "ITLFile.tlv", "--html", tmp_path / "x.html"), "--html draws a boot"),
        (run("fetch", "127.0.0.1:9", "--to", tmp_path / "x", "--phone", "1", "--all", "y"), "exclude each other"),
        (run("fetch", "127.0.0.1:9", "--to", tmp_path / "fleet.csv"), "File exists"),
    ):
        assert result.exit_code == 2 and result.stdout == "" and reason in result.stderr, result.output


def test_a_file_without_end_is_not_read_into_memory(monkeypatch):
    monkeypatch.setattr("host_tools.cli.parts.LARGEST_FILE", 1000)
    for command in (
        ["inspect", "/dev/zero"],
        ["preflight", "/dev/zero", "--as", "itl"],
        ["diff", "/dev/zero", "/dev/zero"],
    ):
        result = run(*command)
        assert result.exit_code == 2 and "more than 1000 bytes" in result.stderr


def test_a_plan_that_makes_the_list_nearly_too_large_is_warned_of_with_its_step(planned):
    plan = 'steps = ["back up", "add 33 certificates", "restart all phones"]'
    result = planned("device,online\n" + GOOD, plan)
    assert result.exit_code == 0 and "Warning: ITL after step 2: The list has 6" in words(result), result.output
    assert "more and phones refuse it (too-large)" in words(result)
    assert "too-large" not in words(planned("device,online\n" + GOOD, plan.replace("33", "3")))


def test_a_folder_names_the_phone_whose_boot_is_judged_and_several_are_no_answer(folder):
    name = next(path.name for path in folder.iterdir() if path.name.startswith("SEP"))
    judged = run("preflight", "--boot", folder)
    assert (
        judged.exit_code == 0 and f"{name[:15]} would boot so:" in words(judged) and f"{name} accepted" in words(judged)
    )
    (folder / "SEP001122334401.cnf.xml.sgn").write_bytes(b"x")
    several = run("preflight", "--boot", folder)
    assert several.exit_code == 2 and "has files of several phones (001122334401," in words(several)
    chosen = run("preflight", "--boot", folder, "--phone", name[:15])
    assert chosen.exit_code == 0 and f"{name} accepted" in words(chosen)


def test_a_batch_whose_rows_have_mistakes_is_told_with_their_lines(planned):
    result = planned("device,batch\nlobby,first\nSEP001122334401,second\n", 'steps = ["restart batch first"]')
    assert result.exit_code == 2 and "step 1: no phone of the fleet is in batch first" in result.stderr
    assert "fleet, line 2: 'lobby' is no device name" in result.stderr


def test_no_answer_is_written_over_a_file_that_is_read(planned, folder, tmp_path):
    fleet = "device,online\n" + GOOD
    planned(fleet)
    (tmp_path / "link.csv").symlink_to(tmp_path / "fleet.csv")
    same = ["--html", tmp_path / "new", "--visits", tmp_path / "new"]
    for more in (["--visits", tmp_path / "link.csv"], ["--html", tmp_path / "plan.toml"], same):
        result = planned(fleet, TOO_FAST, *more)
        assert result.exit_code == 2 and "it would be written over" in result.stderr and result.stdout == ""
    held = folder / "ITLFile.tlv"
    before = held.read_bytes()
    for more in (["--installed-itl", held], []):
        result = run("preflight", "--boot", folder, *more, "--html", held)
        assert result.exit_code == 2 and "it would be written over" in result.stderr, more
    for _ in range(2):
        assert run("preflight", "--boot", folder, "--html", folder / "boot.html").exit_code == 0, (
            "a page may be made anew"
        )
    assert held.read_bytes() == before and (tmp_path / "fleet.csv").read_text() == fleet
