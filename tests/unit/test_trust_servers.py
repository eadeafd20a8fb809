# SPDX-License-Identifier: MIT
"""May the phone talk to this TLS server? (docs/spec/rules.md, S1 to S3)"""

from agent.formats import names
from agent.trust.decision import Answer
from tests.helpers.agent.building import der, record, trust_list
from tests.helpers.agent.judging import (
    CAPF,
    CUCM,
    EC,
    OTHER,
    SAST,
    TOMCAT,
    TVS,
    TVS2,
    ctl_of,
    itl_of,
    rollback,
    server,
    trust,
)

# TLS servers


def test_servers_by_role():
    purposes = {"application": (7,), "callmanager": (1, 2), "capf": (4,), "tvs": (21,), "configuration": (2, 3)}
    for purpose in purposes:
        shown = EC if purpose == "configuration" else TOMCAT
        for role in (0, 1, 2, 3, 4, 7, 21):
            itl = trust(itl_of((role, shown), (names.TFTP, CUCM)))
            ctl = trust(None, ctl_of((role, shown)))
            if role in purposes[purpose]:
                assert server(itl, purpose, shown) == "accepted listed-in-itl", (purpose, role)
                assert server(ctl, purpose, shown) == "accepted listed-in-ctl", (purpose, role)
            else:
                expected = "refused unknown-signer"  # a list without a TVS: there is no server to ask
                if purpose == "tvs":
                    expected = "refused tvs-untrusted"  # a TVS is never asked about a TVS
                elif role == names.TVS:
                    expected = "refused tvs-refused"  # the list has a TVS, so it was asked
                for phone in (itl, ctl):
                    assert server(phone, purpose, shown, Answer("refused")) == expected, (purpose, role)


def test_configuration_needs_an_ec_certificate():
    for role in (names.TFTP, names.CCM_TFTP):
        assert server(trust(itl_of((role, CUCM))), "configuration", CUCM) == "refused wrong-key", role
        assert server(trust(None, ctl_of((role, CUCM))), "configuration", CUCM) == "refused wrong-key", role
    answer = Answer("valid", None, (names.TFTP,))
    assert server(trust("itl-base.tlv"), "configuration", CUCM, answer) == "refused wrong-key"
    assert server(trust("itl-base.tlv"), "configuration", EC, answer) == "accepted vouched-by-tvs"
    assert trust("itl-base.tlv").decide_server("configuration", b"no certificate").reason == "wrong-key"
    # After a rollback that is the first reason.
    assert server(trust(rollback()), "configuration", CUCM) == "refused after-rollback"


def test_servers_that_only_tvs_knows():
    phone = trust("itl-base.tlv")
    assert server(phone, "application", TOMCAT, Answer("valid", None, (7,))) == "accepted vouched-by-tvs"
    assert server(phone, "application", TOMCAT, Answer("valid", None, (0, 3))) == "refused tvs-wrong-role"
    assert server(phone, "callmanager", OTHER, Answer("valid", None, (2,))) == "accepted vouched-by-tvs"
    assert server(phone, "application", TOMCAT, Answer("refused")) == "refused tvs-refused"
    assert server(phone, "capf", TOMCAT, Answer("unreachable")) == "refused tvs-unreachable"
    assert server(phone, "configuration", EC, Answer("untrusted")) == "refused tvs-untrusted"


def test_tvs_itself_is_never_asked_about():
    assert server(trust("itl-base.tlv"), "tvs", TVS) == "accepted listed-in-itl"
    assert server(trust("itl-base.tlv"), "tvs", TVS2) == "refused tvs-untrusted"


def test_servers_without_tvs_and_without_lists():
    assert server(trust(itl_of((0, SAST), (3, CUCM))), "application", TOMCAT) == "refused unknown-signer"
    assert server(trust(), "application", TOMCAT) == "refused no-trust-list"


def test_servers_after_rollback():
    itl = rollback((names.SAST, SAST), (names.CAPF, CAPF))
    assert server(trust(itl), "capf", CAPF) == "refused after-rollback"
    assert server(trust(rollback()), "application", TOMCAT) == "refused after-rollback"
    # A list that only names no TFTP and no TVS is no empty one.
    assert server(trust(itl_of((names.SAST, SAST), (names.CAPF, CAPF))), "capf", CAPF) == "accepted listed-in-itl"
    # A CTL is not blanked by rollback; what only the emptied ITL could say is gone all the same.
    phone = trust(itl, "ctl-mixed.tlv")
    assert server(phone, "callmanager", CUCM) == "accepted listed-in-ctl"
    assert server(phone, "application", TOMCAT) == "refused after-rollback"


def test_tvs_hosts():
    records = [
        record(21, TVS, dns=b"pub.lab.example\0"),
        record(21, TVS2, address=b"\xc0\0\2\x0b"),
        record(21, OTHER, dns=b"pub.lab.example\0"),
        record(0, SAST, dns=b"x\0"),
    ]
    phone = trust(trust_list(records, SAST))
    assert phone.tvs_hosts() == ["pub.lab.example", "192.0.2.11"], "each once"
    six = record(21, TVS, address=b"\x20\x01\x0d\xb8" + bytes(11) + b"\x05", dns=b"x\0")
    assert trust(trust_list([six], SAST)).tvs_hosts() == ["2001:db8::5"]
    assert phone.tvs_certificates() == [der(TVS), der(TVS2), der(OTHER)]
    assert trust().tvs_hosts() == [] and trust("itl-base.tlv").tvs_hosts() == []


def test_certificates_for_other_programs():
    both = trust(itl_of((names.CAPF, CAPF), (names.TFTP, CUCM)), ctl_of((names.CAPF, CAPF), (names.CAPF, OTHER)))
    assert list(both.certificates("capf")) == [der(CAPF), der(OTHER)], "each once, those of the CTL first"
    assert list(trust(itl_of((names.CAPF, CAPF), (names.TFTP, CUCM))).certificates("capf")) == [der(CAPF)]
    assert list(trust().certificates("capf")) == []
    assert list(trust(rollback((names.CAPF, CAPF))).certificates("capf")) == [], "S3"
    overruled = trust(rollback((names.CAPF, CAPF)), ctl_of((names.CAPF, OTHER)))
    assert list(overruled.certificates("capf")) == [der(OTHER)], "a CTL is not blanked by a rollback"


def test_what_counts_as_rolled_back_and_as_trust():
    for phone, rolled_back, has_trust in (
        (trust(), False, False),
        (trust("itl-base.tlv"), False, True),
        (trust(rollback()), True, False),
        (trust(rollback(), "ctl-mixed.tlv"), False, True),
        (trust(None, "ctl-mixed.tlv"), False, True),
    ):
        assert (phone.rolled_back, phone.has_trust) == (rolled_back, has_trust)
