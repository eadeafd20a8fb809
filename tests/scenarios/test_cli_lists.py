# SPDX-License-Identifier: MIT
"""`phonetrust inspect` and `phonetrust diff`: lists near their limits, and what differs between two of them."""

import json
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.lab.model.keys import make_identity
from host_tools.lists import health

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
BASE = VECTORS / "itl-base.tlv"


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "80"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def folders(cluster, tmp_path):
    """folders(name) -> a folder with the files that the cluster hands out now."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        for file, content in cluster.state.published["lab-pub"].items():
            (folder / file).write_bytes(content)
        return folder

    return make


def test_inspect_warns_of_what_expires_within_the_days_asked_for():
    near = run("inspect", BASE, "--expires-within", 36500)
    assert near.exit_code == 0 and "expires in" in near.stdout
    assert "expires in" not in run("inspect", BASE, "--expires-within", 0).stdout


def test_warnings_of_weak_keys_dates_and_size():
    record = {"role": "SAST", "key": "RSA 1024", "not_after": "20200101000000"}
    header = {"signature_bits": 1024, "digest_algorithm": "sha1"}
    found = health.list_warnings({"bytes": 60000, "header": header, "records": [record, {"empty": True}]})
    text = "\n".join(found)
    for words in ("only 5536 more", "weak key of 1024 bits", "SHA-1", "Record 1, SAST, has a weak key", "expired"):
        assert words in text, words
    assert not any("Record 2" in warning for warning in found)
    assert "refuse more than 65536" in health.list_warnings({"bytes": 65537, "header": header})[0]


def test_full_has_every_field_within_80_columns():
    output = run("inspect", BASE, "--full").stdout
    assert "HEADERLENGTH" in output and "Fields of record 1" in output and "PUBLICKEY" in output
    assert max(map(len, output.splitlines())) <= 80


def test_pem_is_the_certificate_of_the_record():
    listed = json.loads(run("inspect", BASE, "--json").stdout)["records"]
    for number, record in enumerate(listed, 1):
        certificate = x509.load_pem_x509_certificate(run("inspect", BASE, "--pem", number).stdout.encode())
        assert certificate.serial_number == int(record["serial"], 16)
    beyond = run("inspect", BASE, "--pem", len(listed) + 1)
    assert beyond.exit_code == 2 and f"has {len(listed)} records" in beyond.stderr


def test_diff_of_the_same_list_says_nothing_differs():
    result = run("diff", BASE, BASE)
    assert (result.exit_code, result.stdout) == (0, "Nothing differs.\n")


def test_diff_tells_renewed_certificates_and_what_phones_do(cluster, folders):
    before = folders("a")
    cluster.regenerate("tvs")
    one = folders("b")
    found = json.loads(run("diff", before / "ITLFile.tlv", one / "ITLFile.tlv", "--json").stdout)["files"][0]
    assert [pair["how"] for pair in found["list"]["replaced"]] == ["renewed"]
    assert found["list"]["replaced"][0]["new"]["roles"] == ["TVS"]
    assert found["phones"]["outcome"] == "accepted"
    text = run("diff", before / "ITLFile.tlv", one / "ITLFile.tlv")
    assert text.exit_code == 1 and "renewed" in text.stdout and "accepted" in text.stdout
    assert max(map(len, text.stdout.splitlines())) <= 80


def test_diff_says_where_phones_would_ask_tvs(cluster, folders):
    cluster.itl_sign("callmanager")
    before = folders("a")
    cluster.regenerate("tftp")
    found = json.loads(run("diff", before, folders("b"), "--json").stdout)
    files = {item["file"]: item for item in found["files"]}
    assert files["ITLFile.tlv"]["phones"]["outcome"] == "asks-tvs"
    signed = next(item for name, item in files.items() if name.endswith(".cnf.xml.sgn"))
    assert signed["signer"][0] != signed["signer"][1]


def test_diff_tells_added_removed_and_other_roles(cluster, folders):
    before = folders("a")
    cluster.set_rollback(True)
    found = json.loads(run("diff", before / "ITLFile.tlv", folders("b") / "ITLFile.tlv", "--json").stdout)["files"][0]
    assert found["list"]["header"]["empty"] == [False, True] and found["list"]["removed"]


def test_diff_of_folders_goes_on_past_a_damaged_list(cluster, folders):
    before, after = folders("a"), folders("b")
    (after / "ITLFile.tlv").write_bytes((after / "ITLFile.tlv").read_bytes()[:-7])
    (after / "new.xml").write_bytes(b"x")
    result = run("diff", before, after)
    assert result.exit_code == 2 and "cannot be compared" in result.stdout and "new.xml added" in result.stdout


def test_diff_refuses_what_is_no_list_and_folders_beside_files(tmp_path):
    (tmp_path / "x").write_bytes(b"nothing")
    assert "is no trust list" in run("diff", BASE, tmp_path / "x").stderr
    result = run("diff", BASE, tmp_path)
    assert result.exit_code == 2 and "compare two files, or two folders" in result.stderr


def test_a_certificate_with_the_old_key_is_told_as_re_signed(cluster, folders):
    before = folders("a")
    with cluster.change() as draft:
        old = draft.identities["tvs-1"]
        name = draft.data["nodes"][0]["host"]
        draft.identities["tvs-1"] = make_identity(name, old.key, alternatives=[name])
    found = json.loads(run("diff", before / "ITLFile.tlv", folders("b") / "ITLFile.tlv", "--json").stdout)["files"][0]
    assert [pair["how"] for pair in found["list"]["replaced"]] == ["re-signed"]
