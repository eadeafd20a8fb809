# SPDX-License-Identifier: MIT
"""How the bench presents its numbers: the table, build/bench.json, docs/performance.md, the releases. Nothing is timed here."""

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from host_tools.bench import __main__ as bench
from host_tools.bench import page, plot, releases, runner, table
from host_tools.bench.measure import Curve, Failure, Line, from_dict, medians

ROOT = Path(__file__).resolve().parents[2]
HELD = Line("verify a list", 100.0, "us", 1000.0, 0.15, "how", 1)
MISSED = Line("a boot", 3.0, "s", 2.0, 1.1, "how a boot is measured", 9, [("waiting", 2.0), ("writing", 1.0)])
SIZE = Line("library", 262.0, "KB", None, 340, "as installed", 11)
INFORMATION = Line("plain", 1.0, "ms")
WRITES = Line("flash", 0, "writes", None, 0)
LINES = [INFORMATION, SIZE, MISSED, HELD]
CURVE = Curve("a file", "MB", "ms", [(1, 10.0), (4, 40.0), (16, 160.0)])
LOST = Failure("board", "ImageError: QEMU did not start")


def printed(lines, failures=(), before=None, version=""):
    out = io.StringIO()
    table.show(lines, failures, before or {}, version, out)
    return out.getvalue()


def test_a_target_is_for_the_ratio_or_for_what_has_no_other_side():
    assert (HELD.ratio, HELD.kept) == (0.1, True)
    assert (MISSED.ratio, MISSED.kept) == (1.5, False)
    assert (SIZE.ratio, SIZE.kept) == (None, True)
    assert (WRITES.kept, Line("flash", 1, "writes", None, 0).kept) == (True, False)
    assert INFORMATION.kept is None


def test_only_what_holds_on_any_machine_is_compared():
    assert (HELD.comparable, SIZE.comparable, INFORMATION.comparable) == (0.1, 262.0, None)


def test_medians_take_turns_and_leave_out_the_first_round():
    now = iter(range(100))
    order = []
    found = medians([lambda: order.append("a"), lambda: order.append("b")], 2, 1, lambda: next(now))
    assert found == [1, 1] and order == ["a", "b"] * 3


def test_what_was_found_survives_json():
    for each in (MISSED, CURVE, LOST):
        again = from_dict(json.loads(json.dumps(each.as_dict())))
        assert json.dumps(again.as_dict()) == json.dumps(each.as_dict())


def test_the_table_fits_100_columns_in_the_order_of_its_rows():
    text = printed(
        [*LINES, Line("a name that is much longer than its column " * 3, 1.0, "ms")],
        [LOST],
        {"library": 100.0},
        "0.1.0",
    )
    assert max(len(line) for line in text.splitlines()) <= 100
    at = [text.index(line.name) for line in (HELD, MISSED, SIZE, INFORMATION)]
    assert at == sorted(at)
    assert "could not be measured" in text and "QEMU did not start" in text


@pytest.mark.parametrize(
    ("line", "before", "said"),
    [
        (HELD, {}, "holds"),
        (HELD, {"verify a list": 0.095}, "holds"),
        (HELD, {"verify a list": 0.09}, "holds worse +11%"),
        (MISSED, {"a boot": 1.0}, "MISSED worse +50%"),
        (SIZE, {"library": 300.0}, "holds"),
        (Line("flash", 1, "writes", None, 0), {"flash": 0}, "MISSED worse"),
    ],
)
def test_a_line_that_is_worse_by_more_than_a_tenth_is_marked(line, before, said):
    assert table.verdict(line, before) == said


def test_a_release_is_stored_and_the_newest_one_before_this_is_compared_with(tmp_path):
    path = tmp_path / "releases.json"
    for version, line in (("0.10.0", SIZE), ("0.9.0", MISSED), ("0.2.0", HELD)):
        releases.store([line, INFORMATION], version, path)
    stored = releases.load(path)
    assert list(stored) == ["0.2.0", "0.9.0", "0.10.0"]
    assert releases.last(stored, "0.10.0") == ("0.9.0", {"a boot": 1.5})
    assert releases.last(stored, "0.2.0") == ("", {})


def test_the_stored_releases_are_there():
    version, before = releases.last(releases.load(), "0.2.0")
    assert version == "0.1.0" and before["libphonetrust for arm64"] > 100


def test_the_page_says_what_is_missed_why_and_what_is_worse(monkeypatch):
    monkeypatch.setattr(page, "LIMITS", {"a boot": "The disk is slow."})
    text = page.text(LINES, [CURVE], [LOST], {"library": 100.0}, "0.1.0", [("processor", "one, 2 cores")])
    assert "- processor: one, 2 cores" in text
    assert "**MISSED**" in text and "The disk is slow." in text and "- waiting: 2 s (67%)" in text
    assert "## Worse than in 0.1.0" in text and "library: 100 then, 262 now" in text
    assert "- board: ImageError: QEMU did not start" in text
    assert "![Growth with size](growth.svg)" in text and "10 at 1, 40 at 4, 160 at 16" in text
    assert "- **a boot**: how a boot is measured." in text


def test_a_limit_is_said_of_a_target_that_is_missed_or_a_line_that_is_worse_only(monkeypatch):
    monkeypatch.setattr(page, "LIMITS", {line.name: f"why {line.name}" for line in LINES})
    text = page.text(LINES, [], [], {"library": 100.0}, "0.1.0", [])
    assert [line.name for line in LINES if f"why {line.name}" in text] == ["library", "a boot"]


def test_the_page_names_the_machine_and_no_path(monkeypatch):
    said = dict(page.machine())
    assert set(said) == {"processor", "system", "CPython", "MicroPython"}
    assert str(ROOT) not in str(said)


def test_the_picture_is_an_svg_with_a_part_for_each_curve():
    drawn = ElementTree.fromstring(plot.draw([CURVE, Curve("heap <flat>", "MB", "KB", [(1, 167.0), (64, 167.0)])]))
    name = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{name}g")) == 2
    titles = [each.text for each in drawn.iter(f"{name}text") if each.get("class") == "title"]
    assert titles == ["a file", "heap <flat>"]
    level = drawn.findall(f".//{name}polyline")[1].get("points").split()
    assert len({point.split(",")[1] for point in level}) == 1, "what is constant is drawn level"


@pytest.fixture
def subjects(tmp_path, monkeypatch):
    """The bench with subjects of the test's own, and its output in a folder of the test's own."""
    found = {"good": [HELD, CURVE], "bad": [Failure("bad", "RuntimeError: no server")], "missed": [MISSED]}
    monkeypatch.setattr(bench, "SUBJECTS", tuple(found))
    monkeypatch.setattr(runner, "measure", lambda name: found[name])
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "REPORT", tmp_path / "build" / "bench.json")
    (tmp_path / "docs").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("names", "status"), [(["good"], 0), (["missed"], 1), (["good", "missed"], 1), (["bad"], 2), (["missed", "bad"], 2)]
)
def test_the_exit_status_says_whether_targets_hold(subjects, names, status):
    assert bench.main(names) == status
    assert not list((subjects / "docs").iterdir()), "single subjects write no page"


def test_a_subject_that_fails_loses_no_other(subjects, capsys):
    assert bench.main([]) == 2
    written = json.loads((subjects / "build" / "bench.json").read_text())
    assert [each["kind"] for each in written["found"]] == ["line", "curve", "failure", "line"]
    assert written["found"][0]["ratio"] == 0.1 and written["version"]
    text = (subjects / "docs" / "performance.md").read_text()
    assert "verify a list" in text and "- bad: RuntimeError: no server" in text
    assert (subjects / "docs" / "growth.svg").exists()
    out = capsys.readouterr()
    assert "verify a list" in out.out and "targets missed: a boot" in out.err


def test_an_earlier_run_is_shown_without_measuring(subjects, monkeypatch, capsys):
    bench.main([])
    monkeypatch.setattr(runner, "measure", lambda name: pytest.fail("it measured"))
    assert bench.main(["--from", str(bench.REPORT), "--no-page"]) == 2
    assert "verify a list" in capsys.readouterr().out


def test_an_unknown_subject_is_named(capsys):
    with pytest.raises(SystemExit) as ended:
        bench.main(["nothing"])
    assert ended.value.code == 2 and "no subject 'nothing'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise RuntimeError('no server')", "RuntimeError: no server"),
        (f"raise OSError('{ROOT}/build is not there')", "OSError: build is not there"),
        ("import os; os._exit(9)", "its process ended with 9"),
        ("import time; time.sleep(60)", "it took longer than 1 s"),
    ],
)
def test_a_subject_that_raises_dies_or_hangs_is_a_failure(tmp_path, monkeypatch, body, why):
    (tmp_path / "subject_runner.py").write_text(
        "import sys, types\nfrom host_tools.bench import runner\n"
        f"def lines():\n    {body}\n"
        "module = types.ModuleType('host_tools.bench.ours')\nmodule.lines = lines\n"
        "sys.modules['host_tools.bench.ours'] = module\nsys.exit(runner.main(sys.argv[1:]))\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    found = runner.measure("ours", 1 if "sleep" in body else 60, "subject_runner")
    assert found == [Failure("ours", why)]


def test_every_subject_is_a_module_and_named_in_the_help():
    shown = subprocess.run(
        [sys.executable, "-m", "host_tools.bench", "--help"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    for name in bench.SUBJECTS:
        assert (ROOT / "host_tools" / "bench" / f"{name}.py").exists()
        assert name in shown
