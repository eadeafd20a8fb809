# SPDX-License-Identifier: MIT
"""`phonetrust fetch` and `preflight --from`: servers that run now, by the phone's own clients."""

import asyncio
import json
import re
import tracemalloc

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.live.files import LiveFiles
from host_tools.live.fleet import Collector, Wanted
from tests.helpers.lab.procedure import MAC
from tests.helpers.servers.ports import free_port


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
    assert set(found["files"]) == {"ITLFile.tlv", f"SEP{MAC}.cnf.xml.sgn"} and found["failed"] == []
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


def test_fetch_without_a_server_cannot_tell(tmp_path):
    result = run("fetch", "127.0.0.1:9", "--to", tmp_path / "got")
    assert result.exit_code == 2 and "0 files" in result.stdout and "ITLFile.tlv" in result.stderr


def test_a_server_that_goes_away_midway_is_told_with_the_line_and_the_rest_is_there(served, tmp_path, monkeypatch):
    cluster, serving = served
    macs = [f"0011223344{number:02X}" for number in range(6)]
    for mac in macs:
        cluster.add_phone(mac)
    whole = Collector._one

    async def one(self, hal, wanted):
        if wanted.line == 4:
            self._host = f"127.0.0.1:{free_port()}"  # from now on
            self._values = {"tftp_timeout": 100, "tftp_attempts": 1}
        await whole(self, hal, wanted)

    monkeypatch.setattr(Collector, "_one", one)
    fleet = tmp_path / "fleet.csv"
    fleet.write_text("device\n" + "".join(f"SEP{mac}\n" for mac in macs))
    common = ["fetch", f"127.0.0.1:{serving.tftp_port()}", "--all", fleet, "--at-once", 1]
    result = run(*common, "--to", tmp_path / "got")
    assert result.exit_code == 1
    got = {path.name for path in (tmp_path / "got").iterdir()}
    assert got == {"ITLFile.tlv", *(f"SEP{mac}.cnf.xml.sgn" for mac in macs[:2])}
    assert f"line 4: CTLSEP{macs[2]}.tlv from 127.0.0.1:" in result.stderr and "no answer" in result.stderr
    assert f"line 7: SEP{macs[5]}: not asked for, because the server has stopped answering" in result.stderr
    found = json.loads(run(*common, "--to", tmp_path / "again", "--json").stdout)
    assert set(found["files"]) == got and found["failed"][-1]["line"] == 7


def test_what_all_phones_share_is_fetched_once(served, tmp_path):
    cluster, serving = served
    cluster.add_phone("001122334455")
    fleet = tmp_path / "fleet.csv"
    fleet.write_text(f"device\nSEP{MAC}\nSEP001122334455\n")
    run("fetch", f"127.0.0.1:{serving.tftp_port()}", "--all", fleet, "--to", tmp_path / "got", "--at-once", 1)
    asked = [event["file"] for event in serving.events if event["what"] == "fetch"]
    assert asked.count("ITLFile.tlv") == asked.count("CTLFile.tlv") == 1


def test_a_collector_keeps_no_more_for_many_phones_than_for_few(tmp_path, monkeypatch):
    """Results go to disk: without the network, 200 phones and 4,000 need the same memory."""

    async def nothing(files, device, limit, told, known):
        name = f"{device}.cnf.xml.sgn"
        files.failed[name] = "x" * 200
        told(name, "failed")
        return {name: "not-found"}

    monkeypatch.setattr("host_tools.live.fleet.fetch_phone", nothing)
    monkeypatch.setattr(LiveFiles, "close", lambda self: None)
    peaks = []
    for count in (200, 200, 4000):
        collector = Collector("127.0.0.1:9", tmp_path, {}, 8, lambda *_: None, lambda: None)
        tracemalloc.start()
        asyncio.run(collector.all(Wanted(f"{number:012X}", number) for number in range(count)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert collector.failed.count == count
    assert peaks[2] < peaks[1] + 300_000, peaks


@pytest.mark.parametrize("way", ["https", "http", "tftp"])
def test_fetch_and_preflight_by_https_and_http_as_newer_phones_do(served, tmp_path, way):
    """Lists by HTTP, configuration by HTTPS; a way that does not answer is skipped, as a phone does."""
    cluster, serving = served
    closed = free_port()
    http = closed if way == "tftp" else serving.port("http")
    https = serving.port("https") if way == "https" else closed
    server, ports = f"127.0.0.1:{serving.tftp_port()}", ["--http", "--http-port", http, "--https-port", https]
    result = run("fetch", server, "--phone", MAC, "--to", tmp_path / "got", *ports, "--json")
    assert result.exit_code == 0, result.output
    files = json.loads(result.stdout)["files"]
    ways = {name: each["way"] for name, each in files.items()}
    assert ways == {"ITLFile.tlv": "tftp" if way == "tftp" else "http", f"SEP{MAC}.cnf.xml.sgn": way}
    assert (tmp_path / "got" / "ITLFile.tlv").read_bytes() == cluster.published("ITLFile.tlv")
    old = old_list(cluster, tmp_path)
    result = run("preflight", "--from", server, "--phone", MAC, "--installed-itl", old, *ports, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {name: each["way"] for name, each in found["files"].items()}["ITLFile.tlv"] == ways["ITLFile.tlv"]
    assert {each["way"] for name, each in found["files"].items() if "cnf" in name} == {way}


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


def test_the_page_says_where_the_phone_looked():
    from host_tools.report.trust_page import page

    for reason, found in (("first-use", "nothing installed yet"), ("signed-by-ctl", "in the installed CTL")):
        decision = {"kind": "itl", "outcome": "accepted", "reason": reason, "text": "", "warnings": [], "evidence": {}}
        html = page({"device": "SEP", "accepted": True, "mode": "nonsecure", "decisions": [decision]})
        assert "installed trust lists" in html and found in html, reason


def test_what_all_phones_share_is_there_once_also_where_many_ask_at_once(served, tmp_path):
    cluster, serving = served
    macs = [f"0011223344{number:02X}" for number in range(12)]
    for mac in macs:
        cluster.add_phone(mac)
    fleet = tmp_path / "fleet.csv"
    fleet.write_text("device\n" + "".join(f"SEP{mac}\n" for mac in macs))
    result = run("fetch", f"127.0.0.1:{serving.tftp_port()}", "--all", fleet, "--to", tmp_path / "got", "--json")
    names = re.findall(r'^"([^"]+)": \{"bytes"', result.stdout, re.MULTILINE)
    assert sorted(names) == ["ITLFile.tlv", *(f"SEP{mac}.cnf.xml.sgn" for mac in macs)], "each once"
    assert [event["file"] for event in serving.events if event["what"] == "fetch"].count("ITLFile.tlv") == 1


def test_a_phone_may_be_named_as_its_device(served, tmp_path):
    server = f"127.0.0.1:{served[1].tftp_port()}"
    result = run("fetch", server, "--phone", f"SEP{MAC}", "--to", tmp_path / "got")
    assert result.exit_code == 0 and (tmp_path / "got" / f"SEP{MAC}.cnf.xml.sgn").exists()
    assert run("preflight", "--from", server, "--phone", f"sep{MAC}").exit_code == 0
