# SPDX-License-Identifier: MIT
"""`make torture` in short, with fixed seeds: nothing is lost, nothing is wrongly accepted; and the table counts what happens."""

import importlib

import pytest

from tests.torture.tally import Effort, Tally, report, table


@pytest.mark.parametrize(
    ("kind", "seconds"), [("bits", 8), ("power", 6), ("replay", 3), ("parsers", 5), ("bounds", 5), ("load", 6)]
)
def test_nothing_lost_and_nothing_wrongly_accepted(kind, seconds):
    tallies = importlib.import_module(f"tests.torture.{kind}").run(Effort(seconds, seed=1, short=True))
    assert tallies
    for tally in tallies:
        assert tally.good, f"{tally.kind}, {tally.cases} cases: {tally.bad}"


def test_a_phone_that_believes_everything_fails(monkeypatch):
    from agent.trust.signature import Signatures
    from tests.torture import bits

    monkeypatch.setattr(Signatures, "verify", lambda *_: True)
    tally = bits.signed(Effort(2))
    assert tally.accepted and not tally.good


def test_a_flash_that_never_syncs_fails(monkeypatch):
    from tests.torture import power

    monkeypatch.setattr(power.FakeFlash, "sync", lambda self: None)
    scenario = next(each for each in power.scenarios() if each[0] == "first boot")
    _, writes, tally = power.cuts(*scenario, Effort(1, short=True))
    assert writes and tally.lost and not tally.good


def test_a_kind_that_ends_in_a_fault_is_lost_and_the_others_are_in_the_table(monkeypatch, capsys):
    from tests.torture import __main__, power, replay

    good = Tally("a good kind")
    good.survive()
    monkeypatch.setattr(power, "run", lambda effort: 1 / 0)
    monkeypatch.setattr(replay, "run", lambda effort: [good])
    assert __main__.main(["--short", "--only", "power", "--only", "replay"]) == 1
    said = capsys.readouterr()
    assert "| power: ended in a fault | 1 | 0 | 1 | 0 |" in said.out and "| a good kind | 1 | 1 | 0 | 0 |" in said.out
    assert said.out.endswith("failed: power: ended in a fault\n") and "ZeroDivisionError" in said.err


def test_the_table_counts():
    tally = Tally("a kind", "a note")
    assert not tally.good, "no case at all proves nothing"
    with tally.case("one"):
        pass
    assert tally.good
    with tally.case("two"):
        raise AssertionError("broken")
    tally.accept("three", 2.5)
    assert tally.bad == ["lost: two: AssertionError: broken", "wrongly accepted: three"]
    assert "| a kind | 3 | 1 | 1 | 1 | 2.5 s |" in report([tally])
    assert table([("a", "b"), (1, 2)]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
