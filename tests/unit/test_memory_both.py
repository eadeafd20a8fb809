# SPDX-License-Identifier: MIT
"""A phone with 512 KB of heap and the largest CTL and ITL there may be, both replaced; in an interpreter of its own, as the
phones of other tests leave their pieces in a heap."""

from agent.local.json_pieces import pieces
from tests.helpers.agent.memory_phone import NAME, OWN, boot, make_hal, make_phone, reasons, used

HEAP = "448k"  # and 64 KB to spare
ALONE = True
IMAGE = True
PYTHONS = ("micropython",)


def test_the_largest_ctl_and_the_largest_itl_are_installed_and_replaced_six_times():
    files = {"CTLFile.tlv": OWN + "large-ctl-old.tlv", "ITLFile.tlv": OWN + "large-old.tlv"}
    files[NAME] = OWN + "large.cnf.xml.sgn"
    hal = make_hal(files)
    phone = make_phone(hal)
    assert boot(phone) is True, reasons(phone)
    assert reasons(phone) == ["first-use", "signed-by-ctl", "signed-by-ctl"]
    used("both installed")
    for age in ("new", "old") * 3:
        files["CTLFile.tlv"] = OWN + "large-ctl-%s.tlv" % age
        files["ITLFile.tlv"] = OWN + "large-%s.tlv" % age
        assert boot(phone) is True, reasons(phone)
        assert reasons(phone)[-3:] == ["signed-by-ctl"] * 3
        assert len(phone.judge.trust.itl.data) == len(phone.judge.trust.ctl.data) == 65536
    used("both replaced six times")
    assert sum([len(piece) for piece in pieces(phone.view.status())]) > 1000
