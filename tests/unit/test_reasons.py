# SPDX-License-Identifier: MIT
"""The table of reasons on both Pythons. That it is complete is tested in tests/repository/test_reasons.py."""

from agent.trust.decision import Decision
from agent.trust.reasons import codes, locks_out, meaning, outcome, try_again
from tests.helpers.agent.both import raises


def test_what_locks_a_phone_out():
    for reason in ("bad-signature", "tvs-untrusted", "unsigned", "trust-lost", "older-than-installed", "unsupported"):
        assert locks_out(reason), reason
    for reason in ("first-use", "no-server", "not-found", "unreachable", "out-of-time", "erased"):
        assert not locks_out(reason), reason


def test_what_is_tried_again():
    for reason in ("no-server", "out-of-time", "retry-later", "interrupted", "unreachable", "too-many-writes"):
        assert try_again(reason), reason
    for reason in ("bad-signature", "tvs-untrusted", "not-found", "load-failed", "string-needed", "unchanged"):
        assert not try_again(reason), reason


def test_meanings_are_for_people():
    assert meaning("nonsecure") == "the cluster is not in mixed mode"
    for reason in codes():
        assert "(ours)" not in meaning(reason)


def test_an_unknown_reason_is_an_error():
    for question in (outcome, locks_out, try_again, meaning):
        raises(KeyError, question, "because")


def test_decisions_have_the_same_words_for_their_outcome():
    assert Decision(True, "unchanged", "itl", "Text.").outcome == outcome("unchanged")
    assert Decision(False, "unsigned", "itl", "Text.").outcome == outcome("unsigned")
