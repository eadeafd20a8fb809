# SPDX-License-Identifier: MIT
"""`make bench`: all subjects as a table, as build/bench.json and as docs/performance.md."""

import argparse
import json
import sys
import time

from agent import VERSION
from host_tools.bench import page, releases, runner, table
from host_tools.bench.measure import Curve, Failure, Line, from_dict

ROOT = runner.ROOT
REPORT = ROOT / "build" / "bench.json"
SUBJECTS = (
    "trust_list", "startup", "streaming", "tftp", "distance", "quiet_boot", "board", "cluster", "size", "growth",
    "programs", "tls", "tvs", "signatures", "plan", "update",
)  # fmt: skip


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m host_tools.bench",
        description="Measure both sides of each subject in turn. A whole run writes docs/performance.md. Exit status: 0 all "
        "targets hold, 1 one is missed, 2 a subject could not be measured.",
        epilog=f"subjects: {', '.join(SUBJECTS)}",
    )
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help="measure these alone, and write no page")
    parser.add_argument("--from", dest="source", metavar="FILE", help="measure nothing, take what an earlier run wrote")
    parser.add_argument(
        "--store", metavar="VERSION", help="keep the numbers as those of this release, in releases.json"
    )
    parser.add_argument("--no-page", action="store_true", help="leave docs/performance.md as it is")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.subjects if name not in SUBJECTS]
    if unknown:
        parser.error(f"no subject {unknown[0]!r}; there are: {', '.join(SUBJECTS)}")
    return options


def measure(subjects):
    """What they found, in their order."""
    found = []
    for name in subjects:
        began = time.monotonic()
        print(f"measuring {name} ...", end=" ", file=sys.stderr, flush=True)
        found += runner.measure(name)
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return found


def main(arguments):
    """Run the named subjects, all of them without names."""
    options = parse(arguments)
    if options.source:
        with open(options.source) as file:
            found = [from_dict(values) for values in json.load(file)["found"]]
    else:
        found = measure(options.subjects or SUBJECTS)
        REPORT.parent.mkdir(exist_ok=True)
        report = {"machine": dict(page.machine()), "version": VERSION, "found": [each.as_dict() for each in found]}
        REPORT.write_text(json.dumps(report, indent=2) + "\n")
    lines = [each for each in found if isinstance(each, Line)]
    curves = [each for each in found if isinstance(each, Curve)]
    failures = [each for each in found if isinstance(each, Failure)]
    version, before = releases.last(releases.load(), VERSION)
    table.show(lines, failures, before, version)
    if not options.subjects and not options.no_page:
        page.write(ROOT / "docs", lines, curves, failures, before, version)
    if options.store:
        releases.store(lines, options.store)
    missed = [line.name for line in lines if line.kept is False]
    if missed:
        print(f"targets missed: {'; '.join(missed)}", file=sys.stderr)
    return 2 if failures else 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
