# SPDX-License-Identifier: MIT
"""Runs the test tiers, three pytest runs at a time: python -m tests.run_tiers [TIER...] [-- PYTEST ARGUMENTS].

Each tier is one pytest run over its folders, or several over parts that share nothing with each other (PARTS). Three
lanes take the runs from one queue, the longest first: while one waits for a board to boot, the others work (LANES=1: one
after the other, as it is with a real board). Each printed line begins with the name of its run. Each tier has one JUnit file in
build/junit. A tier whose folders have no test yet is left out, with a line that says so. A tier that has tests and runs
none of them fails, because a broken harness skips all tests. The last line counts all tiers:
`N passed, N failed, N skipped`.
"""

import os
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JUNIT = ROOT / "build" / "junit"
LANES = int(os.environ.get("LANES") or 3)
TIERS = {
    "unit": ["tests/unit", "tests/property", "tests/repository"],
    "native": ["tests/native"],
    "vectors": ["tests/vector_rows"],
    "scenarios": ["tests/integration", "tests/scenarios"],
    "hil": ["tests/hil"],
}
# {tier: {run: pytest's arguments}}. Of hil: the tests that start U-Boot, with a board and a card of their own; those that
# take turns with the one board under test; and those that need none, or make their own.
UPDATES = ["tests/hil/test_update.py", "tests/hil/test_loader.py"]
PARTS = {
    "scenarios": {"integration": ["tests/integration"], "scenarios": ["tests/scenarios"]},
    "hil": {
        "hil-updates": UPDATES,
        "hil": ["tests/hil", "--board", "shared", *(f"--ignore={path}" for path in UPDATES)],
        "hil-own": ["tests/hil", "--board", "own"],
    },
}
LONGEST_FIRST = ["hil-updates", "hil", "scenarios", "integration", "hil-own", "native", "unit", "vectors"]
NOTHING_COLLECTED = 5  # pytest's exit status


def folders_with_tests(tier):
    """The tier's folders that hold a test file."""
    return [folder for folder in TIERS[tier] if any((ROOT / folder).rglob("test_*.py"))]


def parts_of(tier):
    """{run: pytest's arguments} of this tier; empty where it has no tests yet."""
    folders = folders_with_tests(tier)
    parts = PARTS.get(tier, {tier: folders})
    return {
        name: arguments for name, arguments in parts.items() if arguments and arguments[0].startswith(tuple(folders))
    }


class Run:
    """One pytest run; afterwards its status, and what its JUnit file counts."""

    def __init__(self, tier, name, arguments):
        self.tier, self.name, self.arguments = tier, name, arguments
        self.report = JUNIT / f".{name}.xml"
        self.status, self.passed, self.failed, self.skipped = None, 0, 0, 0

    def _environment(self):
        """Cards and records of an emulated board are in a folder of the run's own."""
        hil = {"PHONETRUST_HIL_FOLDER": str(ROOT / "build" / self.name)} if self.tier == "hil" else {}
        return {**hil, **os.environ}

    def start(self, prefix):
        """Run it to its end; each line that it prints goes to ours behind `prefix`."""
        self.report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", *self.arguments, f"--junitxml={self.report}"]
        with subprocess.Popen(
            [*command, "-o", f"junit_suite_name={self.tier}"],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._environment(),
        ) as process:  # fmt: skip
            for line in process.stdout:
                say(prefix + line.decode(errors="replace").rstrip("\n"))
        self.status = process.returncode
        if self.report.exists():
            for suite in xml.parse(self.report).iter("testsuite"):
                self.failed += int(suite.get("failures")) + int(suite.get("errors"))
                self.skipped += int(suite.get("skipped"))
                self.passed += int(suite.get("tests"))
            self.passed -= self.failed + self.skipped


_printing = threading.Lock()


def say(line):
    """A line that no other lane's is mixed with."""
    with _printing:
        print(line, flush=True)


def run_all(runs, lanes=LANES):
    """Run these, so many at a time, in their order."""
    waiting, width = list(runs), max((len(run.name) for run in runs), default=0)

    def lane():
        while True:
            with _printing:
                if not waiting:
                    return
                run = waiting.pop(0)
            begun = time.monotonic()
            run.start(f"{run.name:{width}} | " if len(runs) > 1 else "")
            say(f"\n{run.name}: ended after {time.monotonic() - begun:.0f} s\n")

    threads = [threading.Thread(target=lane) for _ in range(min(lanes, len(waiting)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def outcome(tier, runs):
    """What the runs of one tier come to: (passed, failed, skipped); failed is at least 1 where pytest failed."""
    passed, failed, skipped = (sum(getattr(run, what) for run in runs) for what in ("passed", "failed", "skipped"))
    suites = xml.Element("testsuites")
    for run in runs:
        if run.report.exists():
            suites.extend(xml.parse(run.report).iter("testsuite"))
            run.report.unlink()
        if run.status not in (0, NOTHING_COLLECTED) and run.failed == 0:
            say(f"tier {tier}: pytest ended with status {run.status}")
            failed += 1
    xml.ElementTree(suites).write(JUNIT / f"{tier}.xml", encoding="utf-8", xml_declaration=True)
    if passed + failed == 0:
        say(f"tier {tier}: no test ran, so this tier failed")
        failed = 1
    return passed, failed, skipped


def main(arguments):
    """Run the tiers; the exit status: 0 all passed, 1 a test or a tier failed, 2 wrong usage."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    names, options = arguments[:end], arguments[end + 1 :]
    unknown = [name for name in names if name not in TIERS]
    if unknown:
        print(f"no tier {unknown[0]!r}; the tiers are: {', '.join(TIERS)}", file=sys.stderr)
        return 2
    JUNIT.mkdir(parents=True, exist_ok=True)
    runs = []
    for tier in names or TIERS:
        parts = parts_of(tier)
        if not parts:
            say(f"tier {tier}: has no tests yet ({', '.join(TIERS[tier])})")
        runs += [Run(tier, name, [*chosen, *options]) for name, chosen in parts.items()]
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    real_board = "LG_ENV" in os.environ or any(option.startswith("--lg-") for option in options)
    run_all(sorted(runs, key=lambda run: order.get(run.name, -1)), 1 if real_board else LANES)
    total = [0, 0, 0]
    for tier in dict.fromkeys(run.tier for run in runs):
        total = [
            sum(pair) for pair in zip(total, outcome(tier, [run for run in runs if run.tier == tier]), strict=True)
        ]
    passed, failed, skipped = total
    if passed + failed == 0:
        failed = 1
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
