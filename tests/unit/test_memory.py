# SPDX-License-Identifier: MIT
"""A phone with 512 KB of heap and the largest trust list there may be: 64 KB fetched, verified, stored and replaced."""

import gc

from agent.local.json_pieces import pieces
from tests.helpers.agent.memory_phone import NAME, OWN, VECTORS, boot, make_hal, make_phone, reasons, used

HEAP = "512k"
PYTHONS = ("micropython",)


def test_the_largest_list_is_installed_replaced_and_loaded():
    used("modules loaded")
    files = {"ITLFile.tlv": OWN + "large-old.tlv", NAME: OWN + "large.cnf.xml.sgn"}
    hal = make_hal(files)
    phone = make_phone(hal)
    used("phone made")
    assert boot(phone) is True, reasons(phone)
    assert reasons(phone) == ["not-found", "first-use", "signed-by-itl"]
    used("first boot")
    phone = None
    gc.collect()
    phone = make_phone(hal)
    assert boot(phone) is True
    assert reasons(phone) == ["not-found", "unchanged", "signed-by-itl"]
    files["ITLFile.tlv"] = OWN + "large-new.tlv"
    boot(phone)
    assert reasons(phone)[3:] == ["not-found", "signed-by-itl", "signed-by-itl"], reasons(phone)
    assert len(phone.judge.trust.itl.data) == 65536
    used("list replaced")
    assert len(phone.tvs.servers) == 6
    for file in ("ITLFile.tlv",):
        files[file] = OWN + "large-old.tlv"
    for _ in range(5):
        boot(phone)
        assert reasons(phone)[-2] in ("signed-by-itl", "unchanged")
    used("after more boots")
    assert phone.view.status()["installed"]["itl"]["bytes"] == 65536
    assert sum([len(piece) for piece in pieces(phone.view.status())]) > 1000


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
