# SPDX-License-Identifier: MIT
"""Backups and the exported ITLRecovery key: what is missing or stale is said, and losing a key shows the difference."""

import json

import pytest
from typer.testing import CliRunner

from host_tools.lab.commands import app as commands
from host_tools.lab.errors import LabError
from host_tools.lab.model import advice
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.transfer import read_recovery

PASSPHRASE = "seven bananas"
NONE = ["There is no backup: `backup FILE`."]
NOT_EXPORTED = ["The ITLRecovery key was never exported: `itl export-recovery FILE`."]


def warnings(cluster):
    return advice.warnings(cluster.state)


def reasons(cluster):
    return [f"{item['outcome']} {item['reason']}" for item in cluster.forecast() if item["kind"] == "itl"]


def test_a_fresh_cluster_is_warned_about_until_both_are_there(cluster, tmp_path):
    assert warnings(cluster) == NONE + NOT_EXPORTED
    cluster.backup(tmp_path / "backup", PASSPHRASE)
    assert warnings(cluster) == NOT_EXPORTED
    cluster.export_recovery(tmp_path / "recovery", PASSPHRASE)
    assert warnings(cluster) == []


def test_an_open_cluster_has_no_recovery_key_to_export(new_cluster):
    assert warnings(new_cluster(kind="open")) == NONE


@pytest.mark.parametrize("kind", ["tftp", "capf", "tvs", "tomcat"])
def test_a_regenerated_certificate_makes_the_backup_stale(cluster, tmp_path, kind):
    cluster.export_recovery(tmp_path / "recovery", PASSPHRASE)
    cluster.backup(tmp_path / "backup", PASSPHRASE)
    cluster.regenerate(kind)
    stale = (
        f"The last backup is stale, it was made before the {kind} certificate of node 1 was regenerated: `backup FILE`."
    )
    assert warnings(cluster) == [stale]
    cluster.add_phone("001122334455")
    assert warnings(cluster) == [stale]
    cluster.backup(tmp_path / "backup", PASSPHRASE)
    assert warnings(cluster) == []


def test_a_regenerated_itlrecovery_makes_both_stale(cluster, tmp_path):
    cluster.export_recovery(tmp_path / "recovery", PASSPHRASE)
    cluster.backup(tmp_path / "backup", PASSPHRASE)
    cluster.regenerate("itlrecovery")
    assert ["backup is stale" in warnings(cluster)[0], "older certificate" in warnings(cluster)[1]] == [True, True]


def test_what_was_lost_comes_back_from_the_backup(classic, tmp_path):
    classic.backup(tmp_path / "backup", PASSPHRASE)
    signer = classic.certificate("tftp")
    classic.reinstall()
    assert classic.certificate("tftp") != signer and reasons(classic) == ["refused tvs-untrusted"]
    assert NONE[0] in warnings(classic), "the new servers know of no backup"
    classic.restore(tmp_path / "backup", PASSPHRASE)
    assert classic.certificate("tftp") == signer and reasons(classic) == ["accepted unchanged"]
    assert NONE[0] not in warnings(classic)


def test_without_a_backup_the_exported_key_is_the_lifeline(classic, tmp_path):
    classic.export_recovery(tmp_path / "recovery", PASSPHRASE)
    classic.reinstall()
    assert reasons(classic) == ["refused tvs-untrusted"]
    classic.itl_reset("localkey")
    assert reasons(classic) == ["refused tvs-untrusted"], "phones do not have the new ITLRecovery certificate"
    classic.itl_reset("remotekey", read_recovery(tmp_path / "recovery", PASSPHRASE))
    assert reasons(classic) == ["accepted signed-by-itl"]


def test_a_stale_backup_brings_back_a_signer_that_phones_have_left_behind(classic, tmp_path):
    classic.backup(tmp_path / "backup", PASSPHRASE)
    classic.regenerate("tvs")
    classic.phones_restarted()
    classic.regenerate("tftp")
    classic.phones_restarted()
    classic.restore(tmp_path / "backup", PASSPHRASE)
    assert reasons(classic) == ["refused tvs-untrusted"]


def test_pending_restarts_are_over_after_a_restore(classic, tmp_path):
    classic.set_restarts("by-hand")
    classic.regenerate("tvs")
    classic.backup(tmp_path / "backup", PASSPHRASE)
    classic.restore(tmp_path / "backup", PASSPHRASE)
    assert classic.data["loaded"] == {} and classic.data["restarts"] == "by-hand"


def test_exports_ask_for_a_password_and_need_one(cluster, tmp_path):
    environment = {"PHONETRUST_LAB": str(cluster.path)}

    def run(*arguments, given=""):
        return CliRunner().invoke(commands.app, [str(one) for one in arguments], env=environment, input=given)

    asked = run("itl", "export-recovery", tmp_path / "recovery", given="seven bananas\n")
    assert asked.exit_code == 0 and "Passphrase:" in asked.output
    assert read_recovery(tmp_path / "recovery", PASSPHRASE).key is not None
    asked = run("backup", tmp_path / "backup", given="seven bananas\n")
    assert asked.exit_code == 0 and "Passphrase:" in asked.output
    for call in (cluster.export_recovery, cluster.backup):
        with pytest.raises(LabError, match="needs a passphrase"):
            call(tmp_path / "none", "")
    assert not (tmp_path / "none").exists()
    status = json.loads(run("status", "--json").stdout)
    assert status["warnings"] == [] and status["saved"]["backup"] == "current"
    Cluster(cluster.path).regenerate("tftp")
    assert "Warning: The last backup is stale" in run("status").stdout.replace("\n", " ")
