# SPDX-License-Identifier: MIT
"""`phonetrust lab`: what it prints, its exit status, and that no traceback reaches anybody."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host_tools.lab.commands import app as commands
from host_tools.lab.commands.serve import parse_ports
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.procedure import MAC
from tests.helpers.lab.raw_clients import tftp_read

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lab(cluster):
    """lab("command", "argument", ...) -> the result, on the fixture's cluster."""

    def run(*arguments, passphrase="seven bananas"):
        environment = {"PHONETRUST_LAB": str(cluster.path), "PHONETRUST_LAB_PASSPHRASE": passphrase, "COLUMNS": "200"}
        result = CliRunner().invoke(commands.app, list(map(str, arguments)), env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return run


def good(result):
    assert result.exit_code == 0, result.output
    return result.stdout


def test_init_makes_a_cluster_and_does_not_overwrite_one(tmp_path):
    runner, folder = CliRunner(), str(tmp_path / "new")
    options = ["init", "-C", folder, "--nodes", "2", "--kind", "tokens", "--name", "branch"]
    assert "2 nodes, mixed mode; hardware tokens sign the CTL" in good(runner.invoke(commands.app, options))
    assert Cluster(folder).data["nodes"][1]["name"] == "branch-sub1"
    again = runner.invoke(commands.app, options)
    assert again.exit_code == 2 and again.stderr.strip() == f"phonetrust lab: {folder} already holds a lab cluster"


def test_every_change_says_what_phones_will_do(lab, cluster):
    good(lab("itl", "sign", "callmanager"))
    good(lab("phones-restarted"))
    assert "ITL accepted (signed-by-itl)" in good(lab("regenerate", "tvs"))
    output = good(lab("regenerate", "tftp", "--yes"))
    assert "Warning: Phones not seen yet: ITL refused (tvs-untrusted): " in output
    forecast = lab("forecast", "--json")
    assert forecast.exit_code == 1
    assert {item["reason"] for item in json.loads(forecast.stdout)["forecast"]} == {"tvs-untrusted"}
    good(lab("itl", "reset", "localkey"))
    assert lab("forecast").exit_code == 0
    good(lab("phones-restarted"))
    assert "ITL accepted (unchanged)" in good(lab("forecast"))


def test_lists_are_shown_as_a_cluster_prints_them(lab, cluster):
    text = good(lab("show", "itl"))
    file = File(cluster.published("ITLFile.tlv"))
    assert "BYTEPOS TAG                 LENGTH  VALUE" in text
    assert "was used to sign the ITL file" in text and "was not used to sign the ITL file" in text
    assert "signature of the ITL file is correct" in text
    done = subprocess.run(["md5sum"], input=file.data, capture_output=True, check=True)
    assert f"{done.stdout.decode().split()[0]} (MD5)" in text
    shown = json.loads(good(lab("show", "itl", "--json")))
    assert [record["function"] for record in shown["records"]] == [role for role, _der in file.roles()]
    assert shown["length"] == len(file.data) and shown["verified"]
    assert all(
        file.data[field["position"]] == field["tag"] for record in shown["records"] for field in record["fields"]
    )
    assert all(file.data[field["position"]] == field["tag"] for field in shown["header"])
    missing = lab("show", "ctl")
    assert missing.exit_code == 2 and missing.stderr == "phonetrust lab: the cluster has no CTL\n"
    good(lab("set", "rollback", "true"))
    assert "This record is empty" in good(lab("show", "itl"))


def test_status_for_people_and_scripts(lab, cluster):
    good(lab("regenerate", "tomcat", "--ca"))
    text = good(lab("status"))
    assert "modern, nonsecure, sha512" in text and "ITLRecovery signs lists" in text and f"SEP{MAC}" in text
    status = json.loads(good(lab("status", "--json")))
    assert status["running"] is None and status["mode"] == "nonsecure"
    assert status["certificates"]["tomcat-1"]["issuer"] == status["certificates"]["ca"]["subject"]
    assert status["nodes"][0]["itl"]["length"] == len(cluster.published("ITLFile.tlv"))
    with cluster.serve() as serving:
        assert json.loads(good(lab("status", "--json")))["running"]["nodes"] == serving.as_dict()["nodes"]


def test_all_procedures_run_from_the_command_line(lab, cluster, tmp_path):
    for line in (
        "set cluster-mode mixed", "ctl update", "ctl sign itlrecovery", "set cluster-mode nonsecure", "ctl delete",
        "autoregistration on", "pre8 on --yes", "upgrade", "add-certificates 2", "itl sign itlrecovery", "set address 192.0.2.1",
        "service stop tvs", "service start tvs", "add-phone 00:11:22:33:44:55 --model 7975",
        f"set capf {MAC} install --authentication string --string 1234 --key ec-384",
        f"set encrypted-configuration {MAC} true", f"make-mic {MAC} {tmp_path / 'mic.pem'}",
        f"itl export-recovery {tmp_path / 'recovery.p12'}", f"itl reset remotekey {tmp_path / 'recovery.p12'}",
        "upgrade --finish", f"backup {tmp_path / 'backup'}", f"bulk-cert export {tmp_path / 'bulk'}",
        f"bulk-cert consolidate {tmp_path / 'bulk'}", f"bulk-cert import {tmp_path / 'bulk'} --type tftp", "set restarts by-hand",
        "regenerate tvs", "service restart tvs --node 1", "set restarts automatic", "report features --feature tvs",
        "set directory corporate http://192.0.2.1:8080/ccmcip/xmldirectoryinput.jsp", "set secure-urls http",
        f"restore {tmp_path / 'backup'}", "centralized-tftp", f"add-file {__file__} --name rings.xml", "remove-file rings.xml",
    ):  # fmt: skip
        result = lab(*line.split())
        assert result.exit_code == 0, (line, result.output)
    assert cluster.published(f"SEP{MAC}.cnf.xml.enc.sgn") and (tmp_path / "mic.pem").stat().st_mode & 0o077 == 0


def test_only_a_step_that_locks_phones_out_asks(classic):
    environment = {"PHONETRUST_LAB": str(classic.path), "COLUMNS": "200"}

    def run(line, given):
        return CliRunner().invoke(commands.app, line.split(), env=environment, input=given)

    first = run("regenerate tvs", "")
    assert first.exit_code == 0 and "lock" not in first.output
    before = classic.state.number
    for answer in ("", "\n", "n\n"):
        asked = run("regenerate tftp", answer)
        assert asked.exit_code == 2 and asked.stdout == ""
        assert asked.stderr.startswith(
            "This would lock phones out when they restart:\n  Phones not seen yet: ITL refused (tvs-"
        )
        assert asked.stderr.endswith("phonetrust lab: nothing was changed; --yes does it without asking\n")
    asked = run("regenerate tftp --json", "y\n")
    assert asked.exit_code == 2 and asked.stdout == "" and "lock phones out" in asked.stderr, "scripts say --yes"
    assert classic.state.number == before
    foretold = [line for line in run("regenerate tftp", "").stderr.splitlines() if "ITL refused" in line]
    meant = run("regenerate tftp", "y\n")
    assert meant.exit_code == 0
    told = [line for line in meant.stdout.splitlines() if "ITL refused" in line]
    assert len(told) == 1 and classic.state.number == before + 1
    serial = re.compile(r"serial [0-9a-f]+")
    assert [serial.sub("", line) for line in told] == ["  Warning: " + serial.sub("", foretold[0]).strip()]
    assert run("itl reset localkey", "").exit_code == 0, "a step that helps asks nothing"


@pytest.mark.parametrize(
    "line, sentence",
    [
        ("regenerate everything", "'everything' cannot be regenerated"),
        ("regenerate tvs --node 7", "node 7 does not exist; this cluster has nodes 1 to 1"),
        ("itl reset remotekey", "remotekey needs the exported file"),
        ("itl reset remotekey /nowhere/file", "/nowhere/file: No such file or directory"),
        ("restore /nowhere/file", "/nowhere/file: No such file or directory"),
        ("backup /nowhere/file", "No such file or directory"),
        ("add-phone 12", "'12' is not a MAC address"),
        ("centralized-tftp /nowhere", "/nowhere holds no lab cluster"),
        ("serve --port tvs@3", "is not SERVICE=PORT or SERVICE@NODE=PORT"),
        ("status -C /nowhere", "/nowhere holds no lab cluster; make one with `phonetrust lab init`"),
    ],
)
def test_errors_are_one_sentence(lab, line, sentence):
    result = lab(*line.split())
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("phonetrust lab: ") and result.stderr.count("\n") == 1
    assert sentence in result.stderr


def test_ports_on_the_command_line():
    assert parse_ports(["tftp=69", "tvs@2=2445", "tvs=0"]) == {1: {"tftp": 69, "tvs": 0}, 2: {"tvs": 2445}}
    for bad in ("tftp", "tftp=", "ftp=1", "tftp=70000", "tvs@x=1", "tvs@1=-1"):
        with pytest.raises(LabError):
            parse_ports([bad])


def test_serve_says_when_it_is_ready_follows_changes_and_ends_cleanly(cluster):
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools.lab", "serve", "--json", "-C", cluster.path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        ready = json.loads(process.stdout.readline())
        assert ready["pid"] == process.pid
        assert json.loads((cluster.path / "serving.json").read_text()) == ready
        port = ready["nodes"]["1"]["tftp"]
        assert tftp_read(port, "ITLFile.tlv")[0] == cluster.published("ITLFile.tlv")
        assert json.loads(process.stdout.readline())["file"] == "ITLFile.tlv"
        cluster.regenerate("tftp")
        assert tftp_read(port, "ITLFile.tlv")[0] == cluster.published("ITLFile.tlv")
        process.send_signal(signal.SIGTERM)
        _output, errors = process.communicate(timeout=20)
        assert process.returncode == 0 and errors == b""
        assert not (cluster.path / "serving.json").exists()
    finally:
        process.kill()
        process.wait()
