# SPDX-License-Identifier: MIT
"""docs/performance.md, as a run of the bench writes it, and docs/growth.svg beside it."""

import os
import platform
import subprocess
from pathlib import Path

from host_tools.bench import plot, releases
from host_tools.bench.limits import LIMITS
from host_tools.bench.table import number, ordered, verdict

WRAPPER = Path(__file__).resolve().parents[2] / "host_tools/setup/micropython"
INTRODUCTION = """\
# Performance

`make bench` measures this page: both sides of each line in turn within one run, medians, and ratios. Only the ratios, the
sizes and the counts mean something on another machine. `python -m host_tools.bench SUBJECT...` measures single subjects, and
`--help` names them. The exit status is 1 where a target is missed and 2 where a subject could not be measured. A line that is
worse than the last release by more than a tenth says so; `--store VERSION` keeps a run's numbers as those of a release.
"""


def machine():
    """[(what, which)] of the machine that this runs on; nothing that says where it is or whose."""
    return [
        ("processor", f"{_processor()}, {len(os.sched_getaffinity(0))} cores"),
        ("system", f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}"),
        ("CPython", platform.python_version()),
        ("MicroPython", _micropython()),
    ]


def _processor():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _micropython():
    command = [WRAPPER, platform.machine(), "-c", "import sys; print(sys.version)"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return found.partition("MicroPython v")[2].split(" ")[0].strip() or "not there"


def text(lines, curves, failures, before, version, about):
    """The page. before: {name: number} of the last release, `version`. about: as machine() gives it."""
    parts = [INTRODUCTION, *(f"- {what}: {which}" for what, which in about), ""]
    parts += _table(lines, before, version)
    if failures:
        parts += ["", "## What could not be measured", ""]
        parts += [f"- {failure.subject}: {failure.why}" for failure in failures]
    parts += _missed(lines)
    parts += _worse(lines, before, version)
    if curves:
        parts += ["", "## Growth", "", "![Growth with size](growth.svg)", ""]
        for curve in curves:
            points = ", ".join(f"{number(y)} at {number(x)}" for x, y in curve.points)
            parts.append(f"- {curve.name}: {curve.y_unit} at {curve.x_unit}: {points}")
    parts += ["", "## How each line is measured", ""]
    parts += [f"- **{line.name}**: {line.note}." for line in ordered(lines) if line.note]
    return "\n".join(parts).rstrip() + "\n"


def _table(lines, before, version):
    last = f"since {version}" if version else ""
    rows = [f"| # | what | ours | other | unit | ratio | target | | {last} |", "| --- " * 9 + "|"]
    for line in ordered(lines):
        change = releases.change(line, before)
        since = "" if change is None else "new" if change == float("inf") else f"{change:+.0%}"
        said = f"**{verdict(line, before)}**" if line.kept is False else verdict(line, before)
        numbers = [number(line.ours), number(line.theirs), line.unit, number(line.ratio), number(line.limit)]
        rows.append(" | ".join(["| " + str(line.row or ""), line.name, *numbers, said.strip(), since]) + " |")
    return rows


def _missed(lines):
    missed = [line for line in ordered(lines) if line.kept is False]
    parts = ["", "## Targets that are missed", ""] if missed else []
    for line in missed:
        parts += [f"### {line.name}", "", LIMITS.get(line.name, "Nobody has looked into this yet."), ""]
        if line.profile:
            whole = line.ours
            parts += [f"Where the {number(whole)} {line.unit} go, measured in the same run:", ""]
            parts += [f"- {what}: {number(part)} {line.unit} ({part / whole:.0%})" for what, part in line.profile] + [
                ""
            ]
    return parts[:-1]


def _worse(lines, before, version):
    worse = [line for line in ordered(lines) if releases.is_worse(line, before)]
    parts = ["", f"## Worse than in {version} by more than a tenth", ""] if worse else []
    for line in worse:
        was, now = number(before[line.name]), number(line.comparable)
        parts.append(f"- {line.name}: {was} then, {now} now. {LIMITS.get(line.name, '')}".rstrip())
    return parts


def write(folder, lines, curves, failures, before, version):
    """Write the page and its picture to `folder` (docs/)."""
    (folder / "performance.md").write_text(text(lines, curves, failures, before, version, machine()))
    if curves:
        (folder / "growth.svg").write_text(plot.draw(curves))
