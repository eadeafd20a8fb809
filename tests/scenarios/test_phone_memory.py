# SPDX-License-Identifier: MIT
"""The phone of an image with 512 KB of heap, of which these tests leave 64 KB unused: lists of 64 KB from a real TFTP server
are taken and replaced while other programs and a person at the console ask."""

import shutil

import pytest

from host_tools.lab.servers import daemons as tftp_daemons
from tests.helpers.agent.building import der
from tests.helpers.lab import phones

ROOT = phones.ROOT
OWN = ROOT / "tests" / "vectors_own"
VECTORS = ROOT / "tests" / "vectors"
NAME = "SEP00270DC01C92.cnf.xml.sgn"


@pytest.fixture
def phone(software, monkeypatch):
    monkeypatch.setattr(phones, "HEAP", "448k")
    made = phones.MicroPythonPhone("00270DC01C92", software)
    yield made
    made.close()


@pytest.fixture
def served(tmp_path, phone):
    """The folder that the phone's TFTP server serves."""
    folder = tmp_path / "tftp"
    folder.mkdir()
    shutil.copy(OWN / "large.cnf.xml.sgn", folder / NAME)
    with tftp_daemons.Atftpd(folder) as server:
        phone.point_at(["{}:{}".format(*server.address)])
        yield folder


def reasons(decisions):
    return [(one["kind"], one["reason"]) for one in decisions]


def test_lists_of_64_kb(phone, served):
    shutil.copy(OWN / "large-old.tlv", served / "ITLFile.tlv")
    first = [("ctl", "not-found"), ("itl", "first-use"), (NAME, "signed-by-itl")]
    assert reasons(phone.boot()) == first
    again = [("ctl", "not-found"), ("itl", "unchanged"), (NAME, "signed-by-itl")]
    assert reasons(phone.boot()) == again
    shutil.copy(OWN / "large-new.tlv", served / "ITLFile.tlv")
    taken = [("ctl", "not-found"), ("itl", "signed-by-itl"), (NAME, "signed-by-itl")]
    assert reasons(phone.boot()) == taken
    assert phone.stored()["itl"] == (OWN / "large-new.tlv").read_bytes()
    assert phone.status()["installed"]["itl"]["bytes"] == 65536
    decision = phone.judge("application", der("tomcat.cert.pem"))
    assert decision["reason"] == "tvs-unreachable"


def test_a_ctl_and_an_itl_of_64_kb_are_replaced_six_times_while_others_ask(phone, served):
    """Without a restart of the interpreter, in a heap that has been used."""

    def serve(age):
        shutil.copy(OWN / f"large-ctl-{age}.tlv", served / "CTLFile.tlv")
        shutil.copy(OWN / f"large-{age}.tlv", served / "ITLFile.tlv")

    serve("old")
    assert reasons(phone.boot()) == [("ctl", "first-use"), ("itl", "signed-by-ctl"), (NAME, "signed-by-ctl")]
    for age in ("new", "old") * 3:
        serve(age)
        phone._type("restart")
        assert phone.judge("application", der("tomcat.cert.pem"))["reason"] == "tvs-unreachable"
        phone._expect("state trusted", phones.BOOT_LIMIT)
        status = phone.status()
        assert reasons(status["decisions"])[-3:] == [(kind, "signed-by-ctl") for kind in ("ctl", "itl", NAME)]
        assert status["installed"]["ctl"]["bytes"] == status["installed"]["itl"]["bytes"] == 65536
        stored = phone.stored()
        assert stored["ctl"] == (OWN / f"large-ctl-{age}.tlv").read_bytes()
        assert stored["itl"] == (OWN / f"large-{age}.tlv").read_bytes()


def test_a_ctl_beside_a_list_of_64_kb(phone, served):
    shutil.copy(VECTORS / "ctl-mixed.tlv", served / "CTLFile.tlv")
    shutil.copy(VECTORS / "itl-base.tlv", served / "ITLFile.tlv")
    assert reasons(phone.boot())[:2] == [("ctl", "first-use"), ("itl", "signed-by-ctl")]
    shutil.copy(OWN / "large-old.tlv", served / "ITLFile.tlv")
    assert reasons(phone.boot())[:2] == [("ctl", "unchanged"), ("itl", "tvs-unreachable")]
    shutil.copy(VECTORS / "itl-over64k.tlv", served / "ITLFile.tlv")
    assert reasons(phone.boot())[1] == ("itl", "too-large")
    assert phone.stored()["itl"] == (VECTORS / "itl-base.tlv").read_bytes()
