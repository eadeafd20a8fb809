# SPDX-License-Identifier: MIT
"""The lab's ledger of phones: entries noted line by line, by several processes, and written whole now and then."""

import contextlib
import json
import os
import time
from pathlib import Path

import pytest

from host_tools.lab.model import ledger as ledgers
from host_tools.lab.model.holdings import Holdings
from host_tools.lab.model.ledger import Ledger

EMPTY = {"since": {"itl": None}, "phones": {}}


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path, EMPTY)
    with made.change() as all_of_it:
        all_of_it["since"] = {"itl": "one"}
    return made


def note(ledger, mac, entry, part="phones"):
    with ledger.locked():
        ledger.note(part, mac, entry)


def test_nothing_was_ever_written(tmp_path):
    assert Ledger(tmp_path, EMPTY).read() == EMPTY


def test_a_note_before_anything_was_written_writes_it(tmp_path):
    note(Ledger(tmp_path, EMPTY), "A", {"itl": "x"})
    assert Ledger(tmp_path, EMPTY).read() == {"since": {"itl": None}, "phones": {"A": {"itl": "x"}}}


def test_notes_are_seen_by_another_process_and_leave_the_whole_file_as_it_is(ledger, tmp_path):
    other = Ledger(tmp_path, EMPTY)
    before = (tmp_path / "holdings.json").read_bytes()
    note(ledger, "A", {"itl": "x"})
    assert other.read()["phones"] == {"A": {"itl": "x"}}
    note(other, "A", {"itl": "y"})
    note(other, "A", {"asked": ["list"]}, "seen")
    assert ledger.read() == other.read() == {
        "since": {"itl": "one"}, "phones": {"A": {"itl": "y"}}, "seen": {"A": {"asked": ["list"]}}
    }  # fmt: skip
    assert (tmp_path / "holdings.json").read_bytes() == before


def test_a_change_of_all_has_the_notes_and_takes_them_away(ledger, tmp_path):
    note(ledger, "A", {"itl": "x"})
    other = Ledger(tmp_path, EMPTY)
    with other.change() as all_of_it:
        all_of_it["since"] = {"itl": "two"}
    assert ledger.read() == {"since": {"itl": "two"}, "phones": {"A": {"itl": "x"}}}
    assert not list(tmp_path.glob("holdings-*.log"))
    note(ledger, "B", {"itl": "z"})
    assert sorted(other.read()["phones"]) == ["A", "B"]


def test_what_was_read_is_not_changed_by_what_comes_later(ledger):
    before = ledger.read()
    note(ledger, "A", {"itl": "x"})
    assert before["phones"] == {} and ledger.read()["phones"] == {"A": {"itl": "x"}}


def test_a_change_that_fails_changes_nothing(ledger):
    with pytest.raises(ZeroDivisionError), ledger.change() as all_of_it:
        all_of_it["phones"]["A"] = {"itl": 1 // 0}
    assert ledger.read()["phones"] == {}


def test_a_note_that_was_cut_off_is_left_out_and_written_over(ledger, tmp_path):
    note(ledger, "A", {"itl": "x"})
    (log,) = tmp_path.glob("holdings-*.log")
    with log.open("ab") as file:
        file.write(b'["phones", "B", {"it')
    other = Ledger(tmp_path, EMPTY)
    assert other.read()["phones"] == {"A": {"itl": "x"}}
    note(other, "C", {"itl": "z"})
    assert sorted(Ledger(tmp_path, EMPTY).read()["phones"]) == sorted(ledger.read()["phones"]) == ["A", "C"]


def test_many_notes_are_written_whole(ledger, tmp_path, monkeypatch):
    monkeypatch.setattr(ledgers, "NOTES_LIMIT", 200)
    for number in range(20):
        note(ledger, f"{number}", {"itl": "x"})
    whole = json.loads((tmp_path / "holdings.json").read_text())
    assert whole["notes"] > 1 and len(whole["phones"]) > 1
    assert len(Ledger(tmp_path, EMPTY).read()["phones"]) == 20
    assert sum(log.stat().st_size for log in tmp_path.glob("holdings-*.log")) < 400


def test_a_whole_file_is_read_once_and_again_when_another_takes_its_place(ledger, tmp_path, monkeypatch):
    os.utime(tmp_path / "holdings.json", (1, 1))
    other = Ledger(tmp_path, EMPTY)
    assert ledger.read() == other.read()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read again"))
        note(other, "A", {"itl": "x"})
        assert ledger.read() == {"since": {"itl": "one"}, "phones": {"A": {"itl": "x"}}}
    with other.change() as all_of_it:
        all_of_it["since"] = {"itl": "two"}
    assert ledger.read() == {"since": {"itl": "two"}, "phones": {"A": {"itl": "x"}}}


def test_a_whole_file_whose_time_does_not_tell_it_from_another_is_read_again(ledger, tmp_path):
    file = tmp_path / "holdings.json"
    soon = time.time_ns() + 3600 * 10**9
    os.utime(file, ns=(soon, soon))
    assert ledger.read()["since"] == {"itl": "one"}
    file.write_text(file.read_text().replace("one", "two"))
    os.utime(file, ns=(soon, soon))
    assert ledger.read()["since"] == {"itl": "two"}


@pytest.mark.parametrize("step", ["asked", "fetched"])
def test_what_another_server_notes_in_the_same_moment_is_kept(tmp_path, monkeypatch, step):
    mac = "001100000000"
    ours, theirs = Holdings(tmp_path), Holdings(tmp_path)
    steps = {
        "asked": lambda holdings, kind: holdings.asked(
            "tftp", "10.0.0.1", f"{kind}SEP{mac}.{'tlv' if kind else 'cnf.xml'}"
        ),
        "fetched": lambda holdings, kind: holdings.fetched(
            "10.0.0.1", f"{kind or 'CTL'}File.tlv", b"a list", lambda *case: True
        ),
    }
    for holdings in (ours, theirs):
        for kind in ("ITL", "CTL"):
            holdings.fetched("10.0.0.1", f"{kind}SEP{mac}.tlv", None, lambda *case: False)
    locked = ours._ledger.locked

    @contextlib.contextmanager
    def after_the_other():
        steps[step](theirs, "")
        with locked():
            yield

    monkeypatch.setattr(ours._ledger, "locked", after_the_other)
    steps[step](ours, "ITL")
    known = Ledger(tmp_path, EMPTY).read()
    if step == "asked":
        assert known["seen"][mac]["asked"] == ["list", "plain"]
    else:
        assert set(known["phones"][mac]) == {"itl", "ctl"} and None not in known["phones"][mac].values()
