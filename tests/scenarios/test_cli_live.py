# SPDX-License-Identifier: MIT
"""`phonetrust fetch` and `preflight --from`: servers that run now, by the phone's own clients."""

import json
import re

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from tests.helpers.lab.procedure import MAC


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "80"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def served(cluster):
    """A running cluster whose CallManager certificate signs lists; (cluster, serving)."""
    cluster.itl_sign("callmanager")
    with cluster.serve() as serving:
        yield cluster, serving


def old_list(cluster, tmp_path):
    path = tmp_path / "old.tlv"
    path.write_bytes(cluster.published("ITLFile.tlv"))
    return path


def test_fetch_brings_what_the_phone_would_get(served, tmp_path):
    cluster, serving = served
    result = run("fetch", f"127.0.0.1:{serving.tftp_port()}", "--phone", MAC, "--to", tmp_path / "got", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found["files"]) == {"ITLFile.tlv", f"SEP{MAC}.cnf.xml.sgn"} and found["failed"] == {}
    for name in found["files"]:
        assert (tmp_path / "got" / name).read_bytes() == cluster.published(name)


def test_fetch_of_a_fleet_tells_bad_rows_and_fetches_the_rest(served, tmp_path):
    cluster, serving = served
    cluster.add_phone("001122334455")
    fleet = tmp_path / "fleet.csv"
    fleet.write_text(f"device\nSEP{MAC}\nphone on the desk\nSEP001122334455\nSEP{MAC}\n")
    to = tmp_path / "got"
    result = run("fetch", f"127.0.0.1:{serving.tftp_port()}", "--all", fleet, "--to", to)
    assert result.exit_code == 1
    assert {path.name for path in to.iterdir()} >= {f"SEP{MAC}.cnf.xml.sgn", "SEP001122334455.cnf.xml.sgn"}
    assert "line 3: 'phone on the desk' is no device name" in result.stderr
    assert f"line 5: SEP{MAC} is in line 2 already" in result.stderr


def test_fetch_from_nobody_cannot_tell(tmp_path):
    result = run("fetch", "127.0.0.1:9", "--to", tmp_path / "got")
    assert result.exit_code == 2 and "0 files" in result.stdout and "ITLFile.tlv" in result.stderr


def test_preflight_from_asks_the_live_tvs(served, tmp_path):
    cluster, serving = served
    old = old_list(cluster, tmp_path)
    cluster.regenerate("tftp")
    page = tmp_path / "page.html"
    server = f"127.0.0.1:{serving.tftp_port()}"
    tvs = f"127.0.0.1:{serving.tvs_port()}"
    options = ["--from", server, "--phone", MAC, "--installed-itl", old, "--configured-tvs", tvs]
    result = run("preflight", *options, "--json", "--html", page)
    assert result.exit_code == 0, result.output
    decisions = json.loads(result.stdout)["decisions"]
    assert "vouched-by-tvs" in [decision["reason"] for decision in decisions]
    html = page.read_text()
    assert '<svg id="chain"' in html and f"TVS {tvs}" in html
    assert not re.search(r"(src|href)=\"(?!data:)", html), "a page that loads nothing"


def test_preflight_from_says_that_phones_are_locked_out(served, tmp_path):
    cluster, serving = served
    old = old_list(cluster, tmp_path)
    cluster.regenerate("tvs")
    cluster.regenerate("tftp")
    options = ["--phone", MAC, "--installed-itl", old, "--configured-tvs", f"127.0.0.1:{serving.tvs_port()}"]
    result = run("preflight", "--from", f"127.0.0.1:{serving.tftp_port()}", *options)
    assert result.exit_code == 1 and "tvs-untrusted" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_preflight_from_a_server_that_is_gone_cannot_tell():
    result = run("preflight", "--from", "127.0.0.1:9", "--phone", MAC)
    assert result.exit_code == 2 and "no-server" in result.stdout


def test_preflight_needs_a_file_or_a_server():
    for arguments in ([], ["x.tlv", "--from", "127.0.0.1"]):
        result = run("preflight", *arguments)
        assert result.exit_code == 2 and "--from HOST" in result.stderr


def test_what_a_server_says_is_no_html(tmp_path):
    from host_tools.report.trust_page import page

    evil = '<script>alert("x")</script>\x1b[2J'
    decision = {"kind": evil, "outcome": "refused", "reason": evil, "text": evil, "warnings": [evil]}
    decision["evidence"] = {"signer": {"subject": f"CN={evil}", "serial": evil}, "tvs": {"server": evil, "text": evil}}
    html = page({"device": "SEP", "accepted": False, "mode": "x", "decisions": [decision]})
    assert "<script" not in html and "\x1b" not in html
