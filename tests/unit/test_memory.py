# SPDX-License-Identifier: MIT
"""A phone with 512 KB of heap and the largest trust list there may be: 64 KB fetched, verified, stored and replaced."""

from agent.flash.store import Store
from agent.local.json_pieces import pieces
from tests.helpers.agent.memory_phone import BUFFER, NAME, OWN, VECTORS, boot, make_hal, make_phone, reasons, used

HEAP = "448k"  # and 64 KB to spare
ALONE = True
IMAGE = True
PYTHONS = ("micropython",)


def status_size(phone):
    """Characters of the status, which is made in pieces."""
    return sum([len(piece) for piece in pieces(phone.view.status())])


def test_the_largest_list_is_installed_and_replaced():
    used("modules loaded")
    files = {"ITLFile.tlv": OWN + "large-old.tlv", NAME: OWN + "large.cnf.xml.sgn"}
    phone = make_phone(make_hal(files))
    used("phone made")
    assert boot(phone) is True, reasons(phone)
    assert reasons(phone) == ["not-found", "first-use", "signed-by-itl"]
    used("first boot")
    files["ITLFile.tlv"] = OWN + "large-new.tlv"
    assert boot(phone) is True
    assert reasons(phone)[3:] == ["not-found", "signed-by-itl", "signed-by-itl"], reasons(phone)
    assert len(phone.judge.trust.itl.data) == 65536
    used("list replaced")
    assert len(phone.tvs.servers) == 6
    files["ITLFile.tlv"] = OWN + "large-old.tlv"
    for expected in ["signed-by-itl"] + ["unchanged"] * 4:
        boot(phone)
        assert reasons(phone)[-2] == expected
    used("after more boots")
    assert phone.view.status()["installed"]["itl"]["bytes"] == 65536
    assert status_size(phone) > 1000


def test_the_largest_list_is_loaded_from_flash_and_replaced():
    files = {"ITLFile.tlv": OWN + "large-old.tlv", NAME: OWN + "large.cnf.xml.sgn"}
    hal = make_hal(files)
    with open(OWN + "large-old.tlv", "rb") as file:
        assert file.readinto(BUFFER) == 65536
    Store(hal.flash, hal.crypto).save({"itl": BUFFER})
    phone = make_phone(hal)
    assert boot(phone) is True, reasons(phone)
    assert reasons(phone) == ["not-found", "unchanged", "signed-by-itl"]
    used("loaded")
    files["ITLFile.tlv"] = OWN + "large-new.tlv"
    assert boot(phone) is True
    assert reasons(phone)[3:] == ["not-found", "signed-by-itl", "signed-by-itl"], reasons(phone)
    used("loaded and replaced")


def test_a_ctl_beside_it():
    files = {"CTLFile.tlv": VECTORS + "ctl-mixed.tlv", "ITLFile.tlv": VECTORS + "itl-base.tlv"}
    files[NAME] = VECTORS + "cfg-sha512.cnf.xml.sgn"
    hal = make_hal(files)
    phone = make_phone(hal)
    assert boot(phone) is True, reasons(phone)
    assert reasons(phone) == ["first-use", "signed-by-ctl", "signed-by-ctl"]
    used("CTL and ITL")
    files["ITLFile.tlv"] = OWN + "large-old.tlv"
    boot(phone)
    assert reasons(phone)[4] == "tvs-unreachable"
    files["ITLFile.tlv"] = VECTORS + "itl-over64k.tlv"
    boot(phone)
    assert reasons(phone)[7] == "too-large"
    used("after refusals")
