# SPDX-License-Identifier: MIT
"""`phonetrust preflight FILE`: what it is told about the phone, and files that no phone can have."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from tests.helpers.agent import building

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
BASE, CTL = VECTORS / "itl-base.tlv", VECTORS / "ctl-mixed.tlv"


def run(*arguments):
    result = CliRunner().invoke(app, ["preflight", *map(str, arguments)], env={"COLUMNS": "80"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize(("option", "file", "words"), [("itl", CTL, "CTLFile.tlv"), ("ctl", BASE, "ITLFile.tlv")])
def test_a_list_of_the_other_kind_is_not_what_a_phone_has_installed(option, file, words):
    result = run(BASE, f"--installed-{option}", file, "--json")
    assert result.exit_code == 2 and not result.stdout
    assert f"no phone has this installed as {option.upper()}" in result.stderr and words in result.stderr


def test_a_list_of_another_phone_where_the_phone_is_named(tmp_path):
    list_of_one = tmp_path / "ITLSEP001122334455.tlv"
    list_of_one.write_bytes(building.trust_list([building.record(0, "sast.cert.pem")], filename=list_of_one.name))
    for phone, reason in (
        ("", "bad-signature"),
        ("00:11:22:33:44:55", "bad-signature"),
        ("00270DC01C92", "wrong-file"),
    ):
        result = run(list_of_one, "--json", *(("--phone", phone) if phone else ()))
        assert result.exit_code == 1 and json.loads(result.stdout)["reason"] == reason, phone
    result = run(BASE, "--installed-itl", list_of_one, "--phone", "00270DC01C92")
    assert result.exit_code == 2 and "no phone has this installed" in result.stderr


def test_a_phone_without_a_mac_address_is_no_phone():
    result = run(BASE, "--phone", "zz")
    assert result.exit_code == 2 and not result.stdout
    assert "--phone: " in result.stderr and "12 hexadecimal digits" in result.stderr
