# SPDX-License-Identifier: MIT
"""The rules for trust lists, one after the other (docs/spec/rules.md, L1 to L8). The truth table is in tests/vector_rows."""

from agent.errors import Refused
from agent.formats import names
from agent.formats.header import Header
from agent.trust.decision import Answer
from tests.helpers.agent import building
from tests.helpers.agent.both import raises, vector
from tests.helpers.agent.building import der, record, trust_list
from tests.helpers.agent.judging import (
    CUCM,
    CUCM_NEW,
    NAME,
    OTHER,
    SAST,
    TVS,
    ctl_of,
    decide,
    itl_of,
    reason,
    rollback,
    trust,
    vouch,
)

# docs/spec/rules.md, L1


def test_rule_1_goes_before_all_others():
    phone = trust("itl-base.tlv")
    assert reason(phone, "itl", "itl-over64k.tlv") == "refused too-large"
    assert reason(phone, "itl", "bad-truncated.tlv") == "refused malformed"
    assert reason(phone, "itl", "bad-body-bit.tlv") == "refused record-mismatch"
    assert reason(phone, "ctl", "bad-body-bit.tlv") == "refused record-mismatch", "wrong-file comes later"
    assert reason(phone, "ctl", "itl-over64k.tlv") == "refused too-large"


def test_the_error_says_which_tag_at_which_offset():
    decision = decide(trust(), "itl", "bad-body-bit.tlv")
    assert "tag 3, offset 421" in decision.text and decision.text.startswith("ITL ")


def test_size_limit_is_a_setting():
    data = vector("itl-base.tlv")
    assert reason(trust(limit=len(data)), "itl", data) == "accepted first-use"
    assert reason(trust(limit=len(data) - 1), "itl", data) == "refused too-large"
    assert reason(trust(data, limit=len(data) - 1), "itl", data) == "refused too-large", "before unchanged"


def test_an_installed_list_over_a_lowered_limit_still_counts():
    assert trust("itl-base.tlv", limit=2000).itl.count == 5


def test_an_installed_list_that_cannot_be_read():
    assert raises(Refused, trust, "bad-truncated.tlv").reason == "malformed"
    assert raises(Refused, trust, None, "bad-body-bit.tlv").reason == "record-mismatch"


# docs/spec/rules.md, L2


def test_rule_2_the_name_in_the_header():
    assert reason(trust(), "itl", "ctl-mixed.tlv") == "refused wrong-file"
    assert reason(trust(), "ctl", "itl-base.tlv") == "refused wrong-file"
    assert reason(trust("itl-base.tlv"), "ctl", "itl-base.tlv") == "refused wrong-file", "before unchanged"


def test_names_of_trust_lists():
    def kind_of(filename, kind):
        data = trust_list([record(0, SAST)], SAST, filename)
        return reason(trust(), kind, data)

    for filename in ("ITLFile.tlv", "ITLSEP00270DC01C92.tlv"):
        assert kind_of(filename, "itl") == "refused bad-signature", filename
        assert kind_of(filename, "ctl") == "refused wrong-file", filename
    for filename in ("CTLFile.tlv", "CTLSEP00270DC01C92.tlv"):
        assert kind_of(filename, "ctl") == "refused bad-signature", filename
    for filename in (
        "",
        "ITLFile",
        "ITL.tlv",
        "itlfile.tlv",
        NAME,
        "xITLFile.tlv",
        "ITLFile.tlv.sgn",
        "ITLSEP00270DC01C92",
        "ITLSEP.tlv",
        "ITLSEP00270dc01c92.tlv",
        "ITLSEP00270DC01C92x.tlv",
        "ITLSEP00270DC01C9G.tlv",
    ):
        assert kind_of(filename, "itl") == "refused wrong-file", filename


def test_a_list_named_after_another_phone():
    other = trust_list([record(0, SAST)], SAST, "ITLSEP001122334455.tlv")
    assert reason(trust(device="SEP00270DC01C92"), "itl", other) == "refused wrong-file"
    for filename in ("ITLFile.tlv", "ITLSEP00270DC01C92.tlv"):
        data = trust_list([record(0, SAST)], SAST, filename)
        assert reason(trust(device="SEP00270DC01C92"), "itl", data) == "refused bad-signature", filename


# docs/spec/rules.md, L3


def test_rule_3_unchanged():
    data = vector("itl-base.tlv")
    assert reason(trust(data), "itl", data) == "accepted unchanged"
    assert reason(trust(data), "itl", memoryview(bytearray(data))) == "accepted unchanged"
    assert reason(trust(memoryview(bytearray(data))), "itl", memoryview(data)) == "accepted unchanged"
    ctl = vector("ctl-mixed.tlv")
    assert reason(trust(data, ctl), "ctl", ctl) == "accepted unchanged"


def test_unchanged_goes_before_the_signature():
    data = vector("bad-signature-bit.tlv")
    assert reason(trust(data), "itl", data) == "accepted unchanged"
    # ... and before the policies
    assert reason(trust(data, refuse_weak=True, policy="provisioned-only"), "itl", data) == "accepted unchanged"


# docs/spec/rules.md, L4


def test_rule_4_a_sast_of_the_ctl_or_the_itl():
    assert reason(trust(itl_of((names.SAST, SAST))), "itl", "itl-base.tlv") == "accepted signed-by-itl"
    assert reason(trust(None, ctl_of((names.SAST, SAST))), "itl", "itl-base.tlv") == "accepted signed-by-ctl"
    assert reason(trust(None, ctl_of((names.SAST, SAST))), "ctl", "ctl-mixed.tlv") == "accepted signed-by-ctl"


def test_rule_4_the_ctl_goes_before_the_itl():
    both = trust(itl_of((names.SAST, SAST)), ctl_of((names.SAST, SAST)))
    assert reason(both, "itl", "itl-base.tlv") == "accepted signed-by-ctl"
    only_itl = trust(itl_of((names.SAST, SAST)), ctl_of((names.SAST, OTHER)))
    assert reason(only_itl, "itl", "itl-base.tlv") == "accepted signed-by-itl"


def test_rule_4_a_ccm_tftp_record_of_the_ctl_serves_for_an_itl_only():
    ctl = ctl_of((names.CCM_TFTP, CUCM), (names.SAST, OTHER))
    assert reason(trust(None, ctl), "itl", "itl-cucmsigned.tlv") == "accepted signed-by-ctl"
    # not for a CTL, not in an ITL, not as TFTP or CCM
    assert reason(trust(None, ctl_of((names.CCM_TFTP, SAST))), "ctl", "ctl-mixed.tlv") == "refused unknown-signer"
    itl = itl_of((names.CCM_TFTP, CUCM), (names.SAST, OTHER))
    assert reason(trust(itl), "itl", "itl-cucmsigned.tlv") == "refused unknown-signer"
    for role in (names.TFTP, names.CCM):
        ctl = ctl_of((role, CUCM), (names.SAST, OTHER))
        assert reason(trust(None, ctl), "itl", "itl-cucmsigned.tlv") == "refused unknown-signer"


def test_rule_4_only_the_right_role_makes_a_signer():
    for role in (names.CCM, names.TFTP, names.CAPF, names.APP_SERVER, 99):
        itl = itl_of((role, SAST), (names.TFTP, CUCM))
        assert reason(trust(itl), "itl", "itl-base.tlv") == "refused unknown-signer", role


def test_rule_4_a_bad_signature_of_a_known_signer_is_not_asked_of_tvs():
    assert reason(trust("itl-base.tlv"), "itl", "bad-signature-bit.tlv") == "refused bad-signature"
    assert reason(trust(None, "ctl-mixed.tlv"), "itl", "bad-signature-bit.tlv") == "refused bad-signature"


def test_rule_4_another_key_under_the_name_and_serial_of_a_signer():
    data = vector("itl-base.tlv")
    forged = bytearray(der(OTHER))
    serial = building.fields(SAST).serial
    at = forged.find(building.fields(OTHER).serial)
    forged[at : at + len(serial)] = serial
    strange = b"XYZ=1\0"
    # the name is another one: not this signer
    itl = trust_list([record(0, bytes(forged)), record(3, CUCM)], SAST)
    assert reason(trust(itl), "itl", data) == "refused unknown-signer"
    # a name that cannot be compared counts only where it verifies
    unreadable = bytes(forged).replace(b"\x06\x03\x55\x04\x0a", b"\x06\x03\x55\x04\x63")
    itl = trust_list([record(0, unreadable, subject=strange, issuer=strange), record(3, CUCM)], SAST)
    assert reason(trust(itl), "itl", data) == "refused unknown-signer"
    own = der(SAST).replace(b"\x06\x03\x55\x04\x0b", b"\x06\x03\x55\x04\x63")
    itl = trust_list([record(0, own, subject=strange, issuer=strange), record(3, CUCM)], SAST)
    assert reason(trust(itl), "itl", data) == "accepted signed-by-itl"


def test_rule_4_the_ctl_alone_decides_about_a_signer_that_both_lists_have():
    # Two keys under one name and serial number: the file fits the ITL's, and the CTL goes first.
    mine = building.fields(SAST)
    other = building.remade(der(OTHER), serial=mine.serial, issuer=mine.issuer)
    ctl = trust_list([record(names.SAST, other)], SAST, "CTLFile.tlv")
    assert reason(trust(itl_of((names.SAST, SAST)), ctl), "itl", "itl-base.tlv") == "refused bad-signature"
    assert reason(trust(itl_of((names.SAST, SAST), (names.TVS, TVS)), ctl), "itl", "itl-base.tlv") == (
        "refused bad-signature"
    )
    # In one list, any of the signer's certificates will do.
    both = trust_list([record(names.SAST, other), record(names.SAST, SAST)], SAST, "CTLFile.tlv")
    assert reason(trust(None, both), "itl", "itl-base.tlv") == "accepted signed-by-ctl"


# docs/spec/rules.md, L5


def test_rule_5_what_is_asked():
    phone = trust("itl-base.tlv")
    question = phone.decide_list("itl", vector("itl-tftpregen-selfsigned.tlv"))
    fields = building.fields(CUCM_NEW)
    assert question.accepted is None and question.request == "query" and question.roles == (names.SAST,)
    assert question.serial == fields.serial and names.same(question.issuer, fields.issuer) is True
    assert names.same(question.subject, fields.subject) is True
    question = phone.decide_file(NAME, vector("cfg-new.cnf.xml.sgn"))
    assert question.request == "query" and set(question.roles) == {names.TFTP, names.CCM_TFTP}


def regenerated(answer):
    return reason(trust("itl-base.tlv"), "itl", "itl-tftpregen-selfsigned.tlv", answer)


def test_rule_5_answers():
    assert regenerated(vouch(CUCM_NEW, 0, 3)) == "accepted vouched-by-tvs"
    assert regenerated(Answer("refused")) == "refused tvs-refused"
    assert regenerated(Answer("unreachable")) == "refused tvs-unreachable"
    assert regenerated(Answer("untrusted")) == "refused tvs-untrusted"
    assert regenerated(vouch(CUCM_NEW, 3)) == "refused tvs-wrong-role"
    assert regenerated(vouch(CUCM_NEW)) == "refused tvs-wrong-role"


def test_rule_5_another_certificate_than_the_signers():
    assert regenerated(vouch(CUCM, 0, 3)) == "refused tvs-refused"
    assert regenerated(vouch(OTHER, 0, 3)) == "refused tvs-refused"
    assert regenerated(Answer("valid", b"no certificate", (0,))) == "refused tvs-refused"
    assert regenerated(Answer("valid", None, (0,))) == "refused tvs-refused"
    # The signer's serial in a certificate of another issuer: serials are unique for their issuer only.
    strange = der(OTHER).replace(building.fields(OTHER).serial, building.fields(CUCM_NEW).serial)
    assert building.library().certificate(strange).serial == building.fields(CUCM_NEW).serial
    assert regenerated(Answer("valid", strange, (0, 3))) == "refused tvs-refused"


def test_rule_5_the_certificate_must_verify():
    data = bytearray(vector("itl-tftpregen-selfsigned.tlv"))
    offset, _ = Header(data).signature_cut
    data[offset + 100] ^= 1
    decision = decide(trust("itl-base.tlv"), "itl", bytes(data), vouch(CUCM_NEW, 0, 3))
    assert decision.reason == "bad-signature" and "TVS" in decision.text


def test_rule_5_goes_before_faith():
    itl = itl_of((names.SAST, SAST), (names.TVS, TVS))
    assert reason(trust(itl), "itl", "itl-othercluster.tlv", Answer("unreachable")) == "refused tvs-unreachable"


def test_rule_5_tvs_certificates_of_a_ctl_count():
    phone = trust(None, ctl_of((names.SAST, SAST), (names.TVS, TVS)))
    assert phone.tvs_certificates() == [der(TVS)]
    assert reason(phone, "itl", "itl-othercluster.tlv", vouch(OTHER, 0)) == "accepted vouched-by-tvs"


def test_rule_5_servers_that_know_only_verification():
    phone = trust("itl-base.tlv")
    question = phone.decide_list("itl", vector("itl-tftpregen-selfsigned.tlv"))
    second = phone.answer(question, Answer("unsupported"))
    assert second.request == "verify" and second.certificate == der(CUCM_NEW) and second.roles == (names.SAST,)
    assert phone.answer(second, Answer("valid", None, (0, 3))).reason == "vouched-by-tvs"
    for status, wanted in (
        ("refused", "tvs-refused"),
        ("unreachable", "tvs-unreachable"),
        ("untrusted", "tvs-untrusted"),
        ("unsupported", "tvs-unreachable"),
    ):
        question = phone.answer(phone.decide_list("itl", vector("itl-tftpregen-selfsigned.tlv")), Answer("unsupported"))
        assert phone.answer(question, Answer(status)).reason == wanted
    question = phone.answer(phone.decide_list("itl", vector("itl-tftpregen-selfsigned.tlv")), Answer("unsupported"))
    assert phone.answer(question, Answer("valid", None, (3,))).reason == "tvs-wrong-role"


def test_rule_5_a_signed_file_stays_refused_there():
    phone = trust("itl-base.tlv")
    question = phone.decide_file(NAME, vector("cfg-new.cnf.xml.sgn"))
    decision = phone.answer(question, Answer("unsupported", text="TVS at a closed the connection."))
    assert decision.outcome == "refused" and decision.reason == "tvs-unreachable"


def test_rule_5_a_list_without_its_signer_stays_refused_there():
    phone = trust("itl-base.tlv")
    data = trust_list([record(names.SAST, SAST)], OTHER)
    question = phone.decide_list("itl", data)
    assert phone.answer(question, Answer("unsupported")).reason == "tvs-unreachable"


def test_rule_5_evidence_says_what_tvs_said():
    decision = decide(trust("itl-base.tlv"), "itl", "itl-tftpregen-selfsigned.tlv", vouch(CUCM_NEW, 0, 3))
    assert decision.evidence["tvs"]["server"] == "192.0.2.5:2445" and decision.evidence["tvs"]["roles"] == [0, 3]
    assert decision.evidence["tvs"]["status"] == "valid"


# docs/spec/rules.md, L6


def test_rule_6_first_use():
    decision = decide(trust(), "itl", "itl-base.tlv")
    assert (decision.outcome, decision.reason) == ("accepted", "first-use")
    assert decision.trust_list.count == 5 and decision.body == decision.trust_list.header.length
    assert reason(trust(), "ctl", "ctl-mixed.tlv") == "accepted first-use"


def test_rule_6_after_rollback():
    assert reason(trust(rollback()), "itl", "itl-othercluster.tlv") == "accepted after-rollback"
    # What only names fewer servers, or none, is no rollback.
    assert reason(trust("itl-rollback.tlv"), "itl", "itl-othercluster.tlv") == "refused unknown-signer"
    assert reason(trust(itl_of()), "itl", "itl-base.tlv") == "refused unknown-signer", "no records at all"


def test_rule_6_needs_its_own_sast_record():
    assert reason(trust(), "itl", "bad-signature-bit.tlv") == "refused bad-signature"
    decision = decide(trust(), "itl", trust_list([record(names.TFTP, SAST), record(names.SAST, CUCM)], SAST))
    assert decision.reason == "bad-signature" and "no SAST record" in decision.text
    assert reason(trust(), "itl", trust_list([], SAST)) == "refused bad-signature"


def test_rule_6_provisioned_only():
    assert reason(trust(policy="provisioned-only"), "itl", "itl-base.tlv") == "refused not-provisioned"
    assert reason(trust(rollback(), policy="provisioned-only"), "itl", "itl-othercluster.tlv") == (
        "refused not-provisioned"
    )
    assert reason(trust("itl-base.tlv", policy="provisioned-only"), "itl", "itl-sha512.tlv") == "accepted signed-by-itl"
    assert reason(trust(policy="provisioned-only"), "itl", "bad-signature-bit.tlv") == "refused not-provisioned"


def test_rule_6_never_with_a_ctl():
    for itl in (None, rollback()):
        assert reason(trust(itl, "ctl-mixed.tlv"), "itl", "itl-othercluster.tlv") == "refused unknown-signer"
        assert reason(trust(itl, ctl_of((names.SAST, OTHER))), "ctl", "ctl-mixed.tlv") == "refused unknown-signer"
    assert reason(trust(rollback((names.SAST, SAST)), ctl_of((names.SAST, OTHER))), "ctl", "ctl-mixed.tlv") == (
        "accepted signed-by-itl"
    )


# docs/spec/rules.md, L7


def test_rule_7_trust_without_tvs():
    itl = itl_of((names.SAST, SAST), (names.CCM_TFTP, CUCM))
    assert reason(trust(itl), "itl", "itl-othercluster.tlv") == "refused unknown-signer"
    assert reason(trust(itl), "ctl", trust_list([record(0, OTHER)], OTHER, "CTLFile.tlv")) == "refused unknown-signer"


# After a decision


def test_installing_changes_the_next_decision():
    phone = trust()
    decision = decide(phone, "itl", "itl-base.tlv")
    assert phone.itl is None, "a decision changes nothing by itself"
    phone.install("itl", decision.trust_list)
    assert reason(phone, "itl", "itl-base.tlv") == "accepted unchanged"
    phone.install("ctl", decide(phone, "ctl", "ctl-mixed.tlv").trust_list)
    assert reason(phone, "itl", "itl-sha512.tlv") == "accepted signed-by-ctl"


def test_a_refusal_changes_nothing():
    phone = trust("itl-base.tlv")
    before = phone.itl
    for candidate, expected in (
        ("bad-signature-bit.tlv", "refused bad-signature"),
        ("bad-truncated.tlv", "refused malformed"),
        ("ctl-mixed.tlv", "refused wrong-file"),
    ):
        assert reason(phone, "itl", candidate) == expected
    assert reason(phone, "itl", "itl-othercluster.tlv", Answer("refused")) == "refused tvs-refused"
    assert phone.itl is before and phone.ctl is None


def test_decisions_are_ready_for_json():
    import json

    for candidate, outcome, code in (
        ("itl-base.tlv", "accepted", "first-use"),
        ("bad-truncated.tlv", "refused", "malformed"),
        ("itl-1024.tlv", "accepted", "first-use"),
    ):
        found = json.loads(json.dumps(decide(trust(), "itl", candidate).as_dict()))
        assert (found["kind"], found["outcome"], found["reason"]) == ("itl", outcome, code)
    found = decide(trust(), "itl", "itl-base.tlv").as_dict()
    assert found["evidence"]["records"] == 5 and found["evidence"]["bytes"] == 7746
    assert found["evidence"]["signer"]["serial"] == "618866fb0d47ff0e318793e454bacac7ad828fbd"
