# SPDX-License-Identifier: MIT
"""What earlier releases measured (releases.json), and what has become worse since the last one.

Only what holds on any machine is kept: ratios, sizes and counts. A new release's numbers are stored by
`python -m host_tools.bench --store VERSION`, from a whole run or from what the last one wrote (`--from build/bench.json`)."""

import json
from pathlib import Path

STORED = Path(__file__).with_name("releases.json")
#: A line is marked where it is worse by more than this part of the last release's number.
TOLERATED = 0.10


def load(path=STORED):
    """{version: {name of a line: number}}, oldest first."""
    return json.loads(path.read_text()) if path.exists() else {}


def last(stored, current):
    """(version, {name: number}) of the newest release before `current`; ("", {}) without one."""
    before = [version for version in stored if _order(version) < _order(current)]
    version = max(before, key=_order, default="")
    return version, stored.get(version, {})


def store(lines, version, path=STORED):
    """Keep the numbers of these lines as those of a release."""
    stored = load(path)
    stored[version] = {line.name: round(line.comparable, 4) for line in lines if line.comparable is not None}
    path.write_text(json.dumps(dict(sorted(stored.items(), key=lambda item: _order(item[0]))), indent=2) + "\n")


def change(line, before):
    """By which part a line is worse than in the release `before` ({name: number}); None where there is no number."""
    old, new = before.get(line.name), line.comparable
    if old is None or new is None:
        return None
    if old == 0:
        return 0.0 if new == 0 else float("inf")
    return new / old - 1


def is_worse(line, before):
    """Whether a line is to be marked."""
    found = change(line, before)
    return found is not None and found > TOLERATED


def _order(version):
    return [int(part) if part.isdigit() else 0 for part in version.split(".")]
