# SPDX-License-Identifier: MIT
"""What a phone of the vendor would show for our decisions, and that our own decisions lead there."""

from agent.boot import outcomes
from agent.errors import TransferError
from agent.trust.decision import Answer, Decision
from agent.trust.reasons import codes
from tests.helpers.agent.building import der
from tests.helpers.agent.judging import NAME, PLAIN, TOMCAT, decide, trust


def line(kind, reason, accepted=False, evidence=None):
    return Decision(accepted, reason, kind, "Text.", evidence).status_message


def test_lists():
    assert decide(trust(), "itl", "itl-base.tlv").status_message == "ITL Installed"
    assert decide(trust("itl-base.tlv"), "ctl", "ctl-mixed.tlv").status_message == "CTL Installed"
    assert decide(trust("itl-base.tlv"), "itl", "itl-sha512.tlv").status_message == "Trust List Updated"
    assert decide(trust("itl-base.tlv"), "itl", "itl-base.tlv").status_message is None, "unchanged"
    for candidate in ("bad-signature-bit.tlv", "bad-truncated.tlv", "itl-over64k.tlv", "ctl-mixed.tlv"):
        assert decide(trust("itl-base.tlv"), "itl", candidate).status_message == "Trust List Update Failed", candidate
    refused = decide(trust("itl-base.tlv"), "itl", "itl-othercluster.tlv", Answer("unreachable"))
    assert refused.status_message == "Trust List Update Failed"


def test_lists_that_are_not_there():
    assert outcomes.no_list("itl", trust()).status_message == "No Trust List Installed"
    assert outcomes.no_list("ctl", trust()).status_message == "No CTL installed"
    assert outcomes.no_list("itl", trust("itl-base.tlv")).status_message == "File Not Found ITLFile.tlv"
    assert outcomes.no_list("ctl", trust(None, "ctl-mixed.tlv")).status_message == "File Not Found CTLFile.tlv"


def test_configuration():
    assert decide(trust("itl-base.tlv"), NAME, "cfg-sha512.cnf.xml.sgn").status_message == NAME
    assert decide(trust("itl-base.tlv"), NAME, "bad-cfg-body.cnf.xml.sgn").status_message == "File Auth Fail " + NAME
    assert decide(trust("itl-base.tlv"), PLAIN, b"").status_message == "File Auth Fail " + PLAIN
    assert decide(trust(), PLAIN, b"").status_message == "No Trust List Installed"
    assert outcomes.no_configuration(PLAIN).status_message == "CFG file not found"
    assert line(NAME, "too-large") == "CFG TFTP Size Error"
    assert line(NAME, "bad-configuration") is None and line(NAME, "not-stored") is None


def test_transfers():
    for kind in ("ctl", "itl", NAME, "ringlist.xml.sgn"):
        assert outcomes.failed(kind, TransferError("Nobody answered", "no-server")).status_message == "TFTP Timeout", (
            kind
        )
        assert outcomes.failed(kind, TransferError("It broke off", "bad-transfer")).status_message == "TFTP Error", kind
    assert outcomes.no_servers().status_message == "TFTP Timeout"


def test_other_files_and_a_person():
    assert line("ringlist.xml.sgn", "bad-signature") == "File Auth Fail ringlist.xml.sgn"
    assert line("ringlist.xml.sgn", "not-found") == "File Not Found ringlist.xml.sgn"
    assert line("ringlist.xml.sgn", "signed-by-itl", True) is None
    assert outcomes.erased("all").status_message == "Erasing CTL and ITL files"
    assert line("phonetrust-rpi3-0.2.0", "wrong-board") == "Load rejected HC"


def test_what_such_phones_do_not_show():
    assert trust("itl-base.tlv").decide_server("tvs", der(TOMCAT)).status_message is None
    assert trust().decide_server("application", der(TOMCAT)).status_message is None
    for kind, reason in (
        ("lsc", "installed"),
        ("lsc", "unreachable"),
        ("lsc", "no-trust-list"),
        ("flash", "not-stored"),
    ):
        assert line(kind, reason) is None, kind


def test_every_decision_of_every_kind_has_a_line_or_none():
    for reason in codes():
        for kind in ("ctl", "itl", "flash", "lsc", "tftp", "application", NAME, PLAIN, "a.xml\x1b"):
            for accepted in (True, False):
                found = line(kind, reason, accepted)
                assert found is None or "\x1b" not in found, (kind, reason)
                assert Decision(accepted, reason, kind, "Text.").as_dict()["status_message"] == found
