# SPDX-License-Identifier: MIT
"""Runs the test tiers one after the other: python -m tests.run_tiers [TIER...] [-- PYTEST ARGUMENTS].

Each tier is a pytest run of its own over the tier's folders, with its JUnit file in build/junit. A tier whose folders
hold no test yet is left out with a line that says so; a tier that has tests and runs none of them fails, since skipping
all is how a broken harness looks. The last line counts all tiers: `N passed, N failed, N skipped`.
"""

import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JUNIT = ROOT / "build" / "junit"
TIERS = {
    "unit": ["tests/unit", "tests/property", "tests/repository"],
    "native": ["tests/native"],
    "vectors": ["tests/vector_rows"],
    "scenarios": ["tests/integration", "tests/scenarios"],
    "hil": ["tests/hil"],
}


def folders_with_tests(tier):
    """The tier's folders that hold a test file."""
    return [folder for folder in TIERS[tier] if any((ROOT / folder).rglob("test_*.py"))]


def run(tier, folders, arguments):
    """Run one tier under pytest. Returns its (passed, failed, skipped); failed is at least 1 where pytest failed."""
    report = JUNIT / f"{tier}.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *folders, f"--junitxml={report}", "-o", f"junit_suite_name={tier}"]
    status = subprocess.run([*command, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL).returncode
    passed = failed = skipped = 0
    if report.exists():
        for suite in xml.parse(report).iter("testsuite"):
            failed += int(suite.get("failures")) + int(suite.get("errors"))
            skipped += int(suite.get("skipped"))
            passed += int(suite.get("tests")) - failed - skipped
    if passed + failed == 0:
        print(f"tier {tier}: no test ran, so this tier failed", flush=True)
        failed = 1
    elif status != 0 and failed == 0:
        print(f"tier {tier}: pytest ended with status {status}", flush=True)
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
    total = [0, 0, 0]
    for tier in names or TIERS:
        folders = folders_with_tests(tier)
        if not folders:
            print(f"tier {tier}: has no tests yet ({', '.join(TIERS[tier])})", flush=True)
            continue
        print(f"\ntier {tier}", flush=True)
        total = [sum(pair) for pair in zip(total, run(tier, folders, options), strict=True)]
    passed, failed, skipped = total
    if passed + failed == 0:
        failed = 1
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
