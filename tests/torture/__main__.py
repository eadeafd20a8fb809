# SPDX-License-Identifier: MIT
"""python -m tests.torture [--seconds N] [--short] [--only KIND]... [--seed N] [--write]: a table, and exit status 1 if
anything was lost or wrongly accepted.

The seconds are for everything together; the kinds share them. --write puts the table into docs/security.md."""

import argparse
import datetime
import importlib
import os
import platform
import re
import sys
import time
import traceback
from pathlib import Path

from tests.torture.tally import Effort, Tally, report

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- written by make torture -->", "<!-- end of what make torture writes -->"
#: kind -> its share of the seconds
KINDS = {"bits": 33, "parsers": 18, "power": 15, "replay": 2, "network": 16, "bounds": 5, "load": 11}
SHORT = 40
#: s by default: on two idle processors every bit is flipped, and each row of load is whole; well within an hour
HOUR = 2700


def written(text, seconds, names):
    """docs/security.md with this table in it."""
    today = datetime.date.today().isoformat()
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    part = "" if set(names) == set(KINDS) else f"; only {', '.join(names)}"
    head = f"Written by `make torture` on {today}: {seconds / 60:.0f} min, {machine}{part}.\n"
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{head}\n{text}{END}{after}"


def run(name, effort):
    """The Tallies of a kind. A kind that ends in a fault is lost; those after it still run, and the table is written."""
    try:
        return importlib.import_module(f"tests.torture.{name}").run(effort)
    except Exception as error:
        traceback.print_exc()
        tally = Tally(f"{name}: ended in a fault")
        tally.lose(f"{type(error).__name__}: {error}"[:300])
        return [tally]


def main(arguments):
    """Run the kinds, print the table; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Attack, faults and load, in numbers.")
    parser.add_argument("--seconds", type=float, help=f"for everything (default {HOUR}, with --short {SHORT})")
    parser.add_argument("--short", action="store_true", help="what make test runs: little of each kind")
    parser.add_argument("--only", action="append", choices=sorted(KINDS), help="one kind; may be given again")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn at random")
    parser.add_argument("--write", action="store_true", help="put the table into docs/security.md")
    options = parser.parse_args(arguments)
    names = options.only or list(KINDS)
    seconds = options.seconds or (SHORT if options.short else HOUR)
    whole = sum(KINDS[name] for name in names)
    tallies, begun = [], time.monotonic()
    for name in names:
        print(f"{name}: begins after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        found = run(name, Effort(seconds * KINDS[name] / whole, options.seed, options.short))
        for bad in [bad for tally in found for bad in tally.bad]:
            print(f"  {bad}", file=sys.stderr, flush=True)
        tallies += found
    text = report(tallies)
    print(text)
    if options.write:
        DOCUMENT.write_text(re.sub(r"[ \t]+\n", "\n", written(text, time.monotonic() - begun, names)))
    bad = [tally.kind for tally in tallies if not tally.good]
    print(f"failed: {'; '.join(bad)}" if bad else "Nothing was lost and nothing was wrongly accepted.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
