# SPDX-License-Identifier: MIT
"""Several clusters: bulk certificates with their middle step, users of one cluster at phones of another; autoregistration
and the support list."""

import json

import pytest
from typer.testing import CliRunner

from host_tools.lab.commands import app as commands
from host_tools.lab.errors import LabError
from host_tools.lab.model.bulk import consolidate
from host_tools.lab.model.features import report
from host_tools.lab.writers.models import FEATURES, TABLE, table
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.procedure import MAC
from tests.helpers.lab.raw_clients import ask, element, tftp_read

PASSPHRASE = "seven bananas"
SGN = f"SEP{MAC}.cnf.xml.sgn"


def exchange(folder, *clusters):
    """Each exports, one consolidates, each imports."""
    for cluster in clusters:
        cluster.bulk_export(folder, PASSPHRASE)
    consolidate(folder, PASSPHRASE)
    for cluster in clusters:
        cluster.bulk_import(folder, PASSPHRASE)


@pytest.fixture
def two(new_cluster):
    """A cluster with a phone, and the cluster of a user who visits it."""
    return new_cluster(name="here"), new_cluster(name="home", phone=None)


def reasons(cluster):
    return {item["kind"]: f"{item['outcome']} {item['reason']}" for item in cluster.forecast()}


def test_import_takes_what_was_consolidated_not_what_was_exported_since(two, tmp_path):
    here, home = two
    exchange(tmp_path / "sftp", here, home)
    old = home.certificate("tftp")
    home.regenerate("tftp")
    home.bulk_export(tmp_path / "sftp", PASSPHRASE)
    here.bulk_import(tmp_path / "sftp", PASSPHRASE)
    assert home.certificate("tftp") not in here.vouches_for() and old in here.vouches_for()
    consolidate(tmp_path / "sftp", PASSPHRASE)
    assert here.bulk_import(tmp_path / "sftp", PASSPHRASE) == 1
    assert here.vouches_for()[home.certificate("tftp")] == {0, 3}
    assert here.bulk_import(tmp_path / "sftp", PASSPHRASE) == 0, "own certificates and known ones are passed over"


def test_tftp_certificates_alone(two, tmp_path):
    here, home = two
    home.bulk_export(tmp_path / "sftp", PASSPHRASE, ["tftp"])
    assert consolidate(tmp_path / "sftp", PASSPHRASE) == {"TFTP": 1}
    assert here.bulk_import(tmp_path / "sftp", PASSPHRASE, ["TFTP"]) == 1
    assert home.certificate("tomcat") not in here.vouches_for()
    with pytest.raises(LabError, match="no consolidated certificates of these types"):
        here.bulk_import(tmp_path / "sftp", PASSPHRASE, ["tomcat"])
    with pytest.raises(LabError, match="'webcam' is no type of bulk certificates"):
        home.bulk_export(tmp_path / "sftp", PASSPHRASE, ["webcam"])
    with pytest.raises(LabError, match="holds no exported certificates"):
        consolidate(tmp_path, PASSPHRASE)


def test_a_visitor_gets_the_configuration_of_his_own_cluster(two, tmp_path):
    here, home = two
    with pytest.raises(
        LabError, match="here does not have the tomcat certificate of cluster home: export, consolidate"
    ):
        here.emcc_login(MAC, home.path)
    exchange(tmp_path / "sftp", here, home)
    with here.serve() as serving, home.serve():
        here.emcc_login(MAC, home.path)
        handed_out = tftp_read(serving.tftp_port(), SGN)[0]
        assert handed_out == home.published(SGN) != here.published(SGN)
        assert f"<port>{serving.tvs_port()}</port>".encode() in File(handed_out).body, "the TVS that the phone has"
        assert reasons(here) == {"itl": "accepted unchanged", SGN: "accepted vouched-by-tvs"}
        here.emcc_logout(MAC)
        assert tftp_read(serving.tftp_port(), SGN)[0] == here.published(SGN)
        assert reasons(here)[SGN] == "accepted signed-by-itl"
    with pytest.raises(LabError, match="no user of another cluster"):
        here.emcc_logout(MAC)


def test_the_forecast_of_a_move(new_cluster, tmp_path):
    old, new = new_cluster(name="old"), new_cluster(name="new")

    def run():
        result = CliRunner().invoke(commands.app, ["forecast", "-C", str(new.path), "--moved-from", str(old.path)])
        return result.exit_code, result.stdout

    with old.serve(), new.serve():
        status, text = run()
        assert (
            status == 1
            and "Warning: Phones not seen yet: ITL refused (tvs-refused): ITL is signed by CN=ITLREC" in text
        )
        assert text.startswith("When phones of the other cluster are moved here and restart:")
        old.set_rollback(True)
        old.phones_restarted()
        assert run() == (0, run()[1]) and "ITL accepted (after-rollback)" in run()[1]
        old.set_rollback(False)
        old.phones_restarted()
        assert run()[0] == 1
        exchange(tmp_path / "sftp", old, new)
        status, text = run()
        assert status == 0 and "ITL accepted (vouched-by-tvs)" in text


@pytest.mark.parametrize("kind, name", [("tftp", "callmanager"), ("tomcat", "tomcat")])
def test_a_visitor_is_refused_after_a_certificate_changed_until_all_three_steps_are_repeated(two, tmp_path, kind, name):
    here, home = two
    exchange(tmp_path / "sftp", here, home)
    here.emcc_login(MAC, home.path)
    home.regenerate(kind)
    assert reasons(here)[SGN] == ("refused tvs-refused" if kind == "tftp" else "accepted vouched-by-tvs")
    here.emcc_logout(MAC)
    steps = [
        lambda: None,
        lambda: home.bulk_export(tmp_path / "sftp", PASSPHRASE),
        lambda: consolidate(tmp_path / "sftp", PASSPHRASE),
    ]
    for step in steps:
        step()
        with pytest.raises(LabError, match=f"here does not have the {name} certificate of cluster home"):
            here.emcc_login(MAC, home.path)
    here.bulk_import(tmp_path / "sftp", PASSPHRASE)
    here.emcc_login(MAC, home.path)
    assert reasons(here)[SGN] == "accepted vouched-by-tvs"


def test_the_default_configuration_is_signed_and_plain(cluster):
    cluster.set_autoregistration(True)
    signed = File(cluster.published("XMLDefault.cnf.xml.sgn"))
    signed.verify(cluster.certificate("tftp"))
    assert cluster.published("XMLDefault.cnf.xml") == signed.body and b"<Default>" in signed.body
    cluster.set_autoregistration(False)
    assert cluster.published("XMLDefault.cnf.xml") is cluster.published("XMLDefault.cnf.xml.sgn") is None


def test_no_autoregistration_in_mixed_mode(cluster, new_cluster):
    with pytest.raises(LabError, match="in mixed mode does not autoregister"):
        new_cluster(mixed=True).set_autoregistration(True)
    cluster.set_autoregistration(True)
    assert cluster.set_cluster_mode("mixed") == ["Autoregistration is off now: in mixed mode there is none."]
    assert cluster.published("XMLDefault.cnf.xml") is None
    assert cluster.set_cluster_mode("nonsecure") == []


def test_the_support_list_goes_by_model_and_by_what_was_asked_for(cluster):
    cluster.add_phone("0011223344AA", model="7975")
    cluster.add_phone("0011223344BB", model="7960")
    cluster.add_phone("0011223344CC", model="9999")
    cluster.set_autoregistration(True)
    with cluster.serve() as serving:
        port = serving.tftp_port()
        assert tftp_read(port, "SEP0011223344BB.cnf.xml")[0] == cluster.published("SEP0011223344BB.cnf.xml")
        assert tftp_read(port, "SEP0011223344DD.cnf.xml") == 1
        assert tftp_read(port, "XMLDefault.cnf.xml")[0] == cluster.published("XMLDefault.cnf.xml")
        for name in (f"ITLSEP{MAC}.tlv", SGN, f"SEP{MAC}.cnf.xml.enc.sgn"):
            tftp_read(port, name)
        ask(serving.tvs_port(), 1, element(1, b"\1CP-7821-SEP0011223344EE") + element(2, b"x"))
        assert serving.events.wait_for(service="tvs", device="CP-7821-SEP0011223344EE")
        found = report(cluster)

    def supports(mac, feature):
        return tuple(found[mac]["features"][feature].values())

    assert supports(MAC, "security-by-default") == supports(MAC, "encrypted-configuration") == (True, "seen")
    assert supports(MAC, "ec") == (True, "model") and supports("0011223344AA", "ec") == (False, "model")
    assert supports("0011223344BB", "security-by-default") == (False, "seen")
    assert supports("0011223344CC", "tvs") == (None, None)
    assert supports("0011223344DD", "security-by-default") == (False, "seen") and found["0011223344DD"]["model"] is None
    assert found["0011223344EE"]["model"] == "7821" and supports("0011223344EE", "tvs") == (True, "seen")


def test_phones_that_do_not_know_signatures_are_served_plain_files(cluster):
    cluster.add_phone("0011223344BB", model="7960")
    plain = cluster.published("SEP0011223344BB.cnf.xml")
    assert plain == File(cluster.published("SEP0011223344BB.cnf.xml.sgn")).body


def test_the_report_for_people_and_scripts(cluster):
    def run(*arguments):
        environment = {"PHONETRUST_LAB": str(cluster.path), "COLUMNS": "200"}
        return CliRunner().invoke(commands.app, ["report", "features", *arguments], env=environment)

    cluster.add_phone("0011223344BB", model="7960")
    text = run().stdout
    assert all(feature in text for feature in FEATURES) and "SEP0011223344BB" in text
    assert list(json.loads(run("--json", "--feature", "tvs").stdout)) == [MAC]
    wrong = run("--feature", "webcam")
    assert wrong.exit_code == 2 and wrong.stderr.startswith(
        "phonetrust lab: 'webcam' is no feature; these are: security"
    )


def test_the_table_of_models_names_features_that_there_are():
    assert {feature for features in table().values() for feature in features} <= set(FEATURES)
    assert list(json.loads(TABLE.read_text())) == sorted(table())
