# SPDX-License-Identifier: MIT
"""The MicroPython phone with 640 KB of heap: lists of 64 KB from a real TFTP server, first taken, then replaced.

Once with the software of the image, once with the sources, which MicroPython compiles in that same heap."""

import shutil

import pytest

from host_tools.lab.servers import daemons as tftp_daemons
from tests.helpers.agent.building import der
from tests.helpers.lab import phones

ROOT = phones.ROOT
OWN = ROOT / "tests" / "vectors_own"
VECTORS = ROOT / "tests" / "vectors"
NAME = "SEP00270DC01C92.cnf.xml.sgn"


def sources(folder):
    """The source tree laid out as the image's software is."""
    for name in ("agent", "hal"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "phone.py").symlink_to(ROOT / "boards" / "phone.py")
    (folder / "libphonetrust.so").symlink_to(ROOT / "build" / "native" / "aarch64" / "libphonetrust.so")
    return folder


@pytest.fixture(params=["image", "sources"])
def phone(request, tmp_path, monkeypatch):
    monkeypatch.setattr(phones, "HEAP", "640k")
    folder = tmp_path / "software"
    folder.mkdir()
    made = phones.MicroPythonPhone(
        "00270DC01C92", phones.unpack_software(folder) if request.param == "image" else sources(folder)
    )
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
    # without a restart of the interpreter, time and again, in a heap that has been used
    for name in ("large-old.tlv", "large-new.tlv") * 3:
        shutil.copy(OWN / name, served / "ITLFile.tlv")
        phone._type("restart")
        phone._expect("state trusted", phones.BOOT_LIMIT)
        assert reasons(phone.status()["decisions"])[-3:] == taken
        assert phone.stored()["itl"] == (OWN / name).read_bytes()


def test_a_ctl_beside_a_list_of_64_kb(phone, served):
    shutil.copy(VECTORS / "ctl-mixed.tlv", served / "CTLFile.tlv")
    shutil.copy(VECTORS / "itl-base.tlv", served / "ITLFile.tlv")
    assert reasons(phone.boot())[:2] == [("ctl", "first-use"), ("itl", "signed-by-ctl")]
    shutil.copy(OWN / "large-old.tlv", served / "ITLFile.tlv")
    assert reasons(phone.boot())[:2] == [("ctl", "unchanged"), ("itl", "tvs-unreachable")]
    shutil.copy(VECTORS / "itl-over64k.tlv", served / "ITLFile.tlv")
    assert reasons(phone.boot())[1] == ("itl", "too-large")
    assert phone.stored()["itl"] == (VECTORS / "itl-base.tlv").read_bytes()
