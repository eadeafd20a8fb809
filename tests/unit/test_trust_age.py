# SPDX-License-Identifier: MIT
"""Is this list or configuration older than the one it would replace? (docs/spec/rules.md, A1 to A6)"""

from agent.formats import names
from agent.formats.header import Header
from agent.trust.age import REFUSE, WARN, judge_age
from agent.trust.case import Case
from agent.trust.decision import Answer
from tests.helpers.agent import building
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import record, trust_list
from tests.helpers.agent.judging import NAME, SAST, decide, trust
from tests.helpers.agent.rows import der


def file(name):
    return vector(name, "vectors-clusters")


def phone(itl="full.tlv", ctl=None, **options):
    return trust(file(itl) if itl else None, file(ctl) if ctl else None, **options)


def judged(name, kind="itl", answer=None, itl="full.tlv", ctl=None, **options):
    """ "accepted signed-by-itl" for a candidate, and its warnings about age."""
    decision = decide(phone(itl, ctl, **options), kind, file(name), answer)
    words = [warning for warning in decision.warnings if "weak" not in warning]
    return decision.outcome + " " + decision.reason, words


def test_a1_an_older_list_is_taken_with_a_warning():
    found, warnings = judged("full-older.tlv")
    assert found == "accepted signed-by-itl" and len(warnings) == 1
    assert "older than the one that this phone had" in warnings[0] and "UTC" in warnings[0]
    assert judged("full-next.tlv") == ("accepted signed-by-itl", [])
    assert judged("full-same-time.tlv") == ("accepted signed-by-itl", [])


def test_a1_or_refused_as_the_setting_says():
    decision = decide(phone(replay=REFUSE), "itl", file("full-older.tlv"))
    assert (decision.outcome, decision.reason) == ("refused", "older-than-installed")
    assert decision.evidence["timestamp"] < decision.evidence["previous_timestamp"]
    assert "replay: warn" in decision.text and "backup" in decision.text
    assert judged("full-next.tlv", replay=REFUSE) == ("accepted signed-by-itl", [])
    assert judged("full-same-time.tlv", replay=REFUSE) == ("accepted signed-by-itl", [])
    assert judged("full.tlv", replay=REFUSE) == ("accepted unchanged", [])


def test_a1_for_a_ctl_against_the_installed_ctl():
    assert judged("ctl-older.tlv", "ctl", ctl="ctl-mixed.tlv")[1]
    assert judged("ctl-older.tlv", "ctl", ctl="ctl-mixed.tlv", replay=REFUSE)[0] == "refused older-than-installed"
    # With no CTL there is nothing that it could be older than, whatever the ITL's time is.
    assert judged("ctl-older.tlv", "ctl", replay=REFUSE) == ("accepted signed-by-itl", [])


def test_a_bad_signature_goes_before_the_age():
    data = bytearray(file("full-older.tlv"))
    data[Header(bytes(data)).signature_cut[0] + 50] ^= 1
    decision = decide(phone(replay=REFUSE), "itl", bytes(data))
    assert (decision.outcome, decision.reason) == ("refused", "bad-signature")


def test_a2_an_old_empty_list_is_never_taken():
    for replay in (WARN, REFUSE):
        decision = decide(phone(replay=replay), "itl", file("blank-older.tlv"))
        assert (decision.outcome, decision.reason) == ("refused", "older-than-installed"), replay
        assert "empty list" in decision.text
    assert judged("blank.tlv") == ("accepted signed-by-itl", [])
    assert judged("blank-older.tlv", itl=None)[0] == "accepted first-use", "nothing to be older than"
    assert judged("blank-older.tlv", itl="blank.tlv")[0] == "refused older-than-installed"


class Told:
    """A list as far as judge_age() asks."""

    def __init__(self, timestamp, empty=False):
        self.header = Header(building.header(timestamp=_time(timestamp)))
        self.empty = empty
        self.count = 0
        self.data = b""


def _time(seconds):
    return None if seconds is None else building.tlv(15, seconds.to_bytes(4, "big"))


def aged(reason, timestamp, previous, empty=False, replay=WARN):
    told = Told(timestamp, empty)
    case = Case("itl", told.header, b"", None, told, previous)
    decision = judge_age(case, case.accept(reason, "Text."), replay)
    return decision.outcome + " " + decision.reason, len(decision.warnings)


def test_a2_of_the_same_time_with_other_bytes():
    for replay in (WARN, REFUSE):
        for reason in ("signed-by-ctl", "signed-by-itl", "vouched-by-tvs"):
            assert aged(reason, 100, 100, True, replay) == ("refused older-than-installed", 0)
            assert aged(reason, 99, 100, True, replay) == ("refused older-than-installed", 0)
            assert aged(reason, 101, 100, True, replay) == ("accepted " + reason, 0)
            assert aged(reason, 100, None, True, replay) == ("accepted " + reason, 0)


def test_a4_a_list_of_another_cluster_has_another_clock():
    for replay in (WARN, REFUSE):
        assert aged("vouched-by-tvs", 1, 100, False, replay) == ("accepted vouched-by-tvs", 0)
        assert aged("after-rollback", 1, 100, False, replay) == ("accepted after-rollback", 0)
        assert aged("after-rollback", 1, 100, True, replay) == ("accepted after-rollback", 0)
    certificate = der("other.cert.pem", "vectors-clusters")
    answer = Answer("valid", certificate, (names.SAST,), 60, "192.0.2.5:2445")
    assert judged("other-cluster.tlv", answer=answer, replay=REFUSE) == ("accepted vouched-by-tvs", [])


def test_a3_an_empty_list_that_tvs_vouched_for():
    data = file("blank-foreign.tlv")
    header = Header(data)
    for later, wanted in ((0, "accepted"), (1, "refused")):
        installed = trust_list(
            [record(names.SAST, SAST), record(names.TVS, "tvs.cert.pem")],
            SAST,
            timestamp=_time(header.timestamp - 1 + 2 * later),
        )
        asked = trust(installed)
        question = asked.decide_list("itl", data)
        own = asked.answer(question, Answer("unsupported"))
        decision = asked.answer(own, Answer("valid", None, (names.SAST,)))
        assert decision.outcome == wanted, decision.text
        assert decision.reason == ("older-than-installed" if later else "vouched-by-tvs")


def test_a5_configuration_against_the_last_one_of_its_name():
    now, older = file("cfg.cnf.xml.sgn"), file("cfg-older.cnf.xml.sgn")
    first = phone().decide_file(NAME, now)
    assert first.reason == "signed-by-itl" and first.timestamp == first.evidence["timestamp"]

    def after(data, previous=None, replay=WARN):
        decision = phone(replay=replay).decide_file(NAME, data, previous=previous)
        return decision.outcome + " " + decision.reason, len([one for one in decision.warnings if "older" in one])

    assert after(older) == ("accepted signed-by-itl", 0), "nothing to compare it with"
    assert after(older, first.timestamp) == ("accepted signed-by-itl", 1)
    assert after(older, first.timestamp, REFUSE) == ("refused older-than-installed", 0)
    assert after(now, first.timestamp, REFUSE) == ("accepted signed-by-itl", 0), "the same one again"


def test_a5_configuration_whose_signer_only_tvs_knows():
    data = file("cfg-older.cnf.xml.sgn")
    time = Header(file("cfg.cnf.xml.sgn")).timestamp
    answer = Answer("valid", der("cucm.cert.pem", "vectors-clusters"), (names.TFTP,), 60, "192.0.2.5:2445")
    for replay, previous, wanted, warnings in (
        (WARN, time, "accepted vouched-by-tvs", 1),
        (REFUSE, time, "refused older-than-installed", 0),
        (REFUSE, None, "accepted vouched-by-tvs", 0),
    ):
        asked = phone("open-tvs.tlv", replay=replay)
        decision = asked.answer(asked.decide_file(NAME, data, previous=previous), answer)
        assert decision.outcome + " " + decision.reason == wanted
        assert len([one for one in decision.warnings if "older" in one]) == warnings


def test_a6_without_a_timestamp():
    assert aged("signed-by-itl", None, 100, False, REFUSE) == ("accepted signed-by-itl", 1)
    assert aged("signed-by-itl", None, None) == ("accepted signed-by-itl", 1)
    assert aged("signed-by-itl", None, 100, True) == ("accepted signed-by-itl", 1)
    # One is installed that has none: the next is compared with nothing.
    installed = trust_list([record(names.SAST, der("sast.cert.pem", "vectors-clusters"))], SAST, timestamp=None)
    decision = trust(installed, replay=REFUSE).decide_list("itl", file("full-older.tlv"))
    assert decision.reason == "signed-by-itl" and decision.evidence["timestamp"] > 0


def test_refusals_have_no_age():
    case = Case("itl", Told(1).header, b"", None, Told(1), 100)
    refusal = case.refuse("bad-signature", "Text.")
    assert judge_age(case, refusal, REFUSE) is refusal
