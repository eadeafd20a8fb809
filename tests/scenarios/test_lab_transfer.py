# SPDX-License-Identifier: MIT
"""Backups, the exported ITLRecovery key and bulk certificates; PKCS#12 files are also opened by openssl."""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools.lab.errors import LabError
from host_tools.lab.model.bulk import TYPES, consolidate
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.transfer import read_recovery
from tests.helpers.lab.independent_reader import File

PASSPHRASE = "seven bananas"


def openssl(file, *options):
    done = subprocess.run(
        ["openssl", "pkcs12", "-in", file, "-passin", f"pass:{PASSPHRASE}", *options], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_backup_and_restore_bring_keys_and_lists_back(cluster, tmp_path):
    itl, signer = cluster.published("ITLFile.tlv"), cluster.certificate("tftp")
    backup = tmp_path / "backup"
    cluster.backup(backup, PASSPHRASE)
    assert backup.stat().st_mode & 0o077 == 0
    assert b"PRIVATE KEY" not in backup.read_bytes() and signer not in backup.read_bytes()
    cluster.regenerate("tftp")
    cluster.regenerate("tvs")
    cluster.set_ports({1: {"tvs": 4567}})
    cluster.restore(backup, PASSPHRASE)
    assert cluster.published("ITLFile.tlv") == itl and cluster.certificate("tftp") == signer
    assert cluster.node(1)["ports"]["tvs"] == 4567
    assert b"<port>4567</port>" in File(cluster.published("SEP00270DC01C92.cnf.xml.sgn")).body


def test_restore_into_an_empty_folder(cluster, tmp_path):
    cluster.backup(tmp_path / "backup", PASSPHRASE)
    other = Cluster(tmp_path / "other")
    other.restore(tmp_path / "backup", PASSPHRASE)
    assert other.published("ITLFile.tlv") == cluster.published("ITLFile.tlv")
    other.regenerate("capf")
    assert other.certificate("capf") != cluster.certificate("capf")


@pytest.mark.parametrize("damage", ["passphrase", "bit", "cut", "magic", "empty"])
def test_a_backup_that_does_not_open_changes_nothing(cluster, tmp_path, damage):
    backup = tmp_path / "backup"
    cluster.backup(backup, PASSPHRASE)
    content = bytearray(backup.read_bytes())
    if damage == "bit":
        content[-100] ^= 4
    elif damage == "cut":
        content = content[:-1]
    elif damage == "magic":
        content[0] ^= 1
    elif damage == "empty":
        content = b""
    backup.write_bytes(content)
    before = cluster.state.number
    with pytest.raises(LabError, match="does not open|not a backup"):
        cluster.restore(backup, "wrong" if damage == "passphrase" else PASSPHRASE)
    assert Cluster(cluster.path).state.number == before


def test_a_backup_without_a_passphrase_is_refused(cluster, tmp_path):
    with pytest.raises(LabError, match="needs a passphrase"):
        cluster.backup(tmp_path / "backup", "")
    assert list(tmp_path.glob("*backup*")) == []


def test_the_exported_recovery_key_signs_the_itl_of_a_cluster_that_lost_its_own(new_cluster, tmp_path):
    cluster = new_cluster()
    file = tmp_path / "recovery.p12"
    cluster.export_recovery(file, PASSPHRASE)
    text = openssl(file, "-nodes")
    assert b"BEGIN PRIVATE KEY" in text and b"BEGIN CERTIFICATE" in text
    old = cluster.certificate("itlrecovery")
    for kind in ("itlrecovery", "tftp", "tvs"):
        cluster.regenerate(kind)
    assert [item["reason"] for item in cluster.forecast() if item["kind"] == "itl"] == ["tvs-untrusted"]
    cluster.itl_reset("remotekey", read_recovery(file, PASSPHRASE))
    File(cluster.published("ITLFile.tlv")).verify(old)
    assert [item["reason"] for item in cluster.forecast()] == ["signed-by-itl", "signed-by-itl"]
    with pytest.raises(LabError, match="does not open"):
        read_recovery(file, "wrong")


def test_bulk_certificates_travel_without_keys_and_are_vouched_for(new_cluster, tmp_path):
    old, new = new_cluster(name="old"), new_cluster(name="new", nodes=2, phone=None)
    new.bulk_export(tmp_path / "bulk", PASSPHRASE)
    assert sorted(path.name for path in (tmp_path / "bulk").iterdir()) == sorted(f"new-{each}.p12" for each in TYPES)
    with pytest.raises(LabError, match="holds no consolidated"):
        old.bulk_import(tmp_path / "bulk", PASSPHRASE)
    assert consolidate(tmp_path / "bulk", PASSPHRASE) == {"TFTP": 2, "CAPF": 1, "Tomcat": 2, "ITLRecovery": 1}
    text = openssl(tmp_path / "bulk" / "TFTP-consolidated.p12", "-nodes")
    assert b"PRIVATE KEY" not in text
    found = [certificate.public_bytes(Encoding.DER) for certificate in x509.load_pem_x509_certificates(text)]
    assert sorted(found) == sorted([new.certificate("tftp", 1), new.certificate("tftp", 2)])
    assert new.certificate("tftp") not in old.vouches_for()
    assert old.bulk_import(tmp_path / "bulk", PASSPHRASE) == 6
    database = old.vouches_for()
    assert database[new.certificate("tftp", 2)] == {0, 3}
    assert database[new.certificate("itlrecovery")] == {0}
    assert database[new.certificate("capf")] == {4} and database[new.certificate("tomcat")] == {7}
    old.bulk_import(tmp_path / "bulk", PASSPHRASE)
    assert len(old.data["trusted"]) == 6
    with pytest.raises(LabError, match="holds no consolidated"):
        old.bulk_import(tmp_path, PASSPHRASE)
    with pytest.raises(LabError, match="does not open"):
        old.bulk_import(tmp_path / "bulk", "wrong")
