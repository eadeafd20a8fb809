# SPDX-License-Identifier: MIT
"""python -m tests.torture.fuzz [SECONDS]: every fuzz target for so long, C's by libFuzzer under sanitizers and Python's by
atheris, and a table of what ran how long (`make fuzz SECONDS=600`). Exit status 1 where one found something."""

import re
import subprocess
import sys
import time

from tests.torture.entry_points import ENTRY_POINTS
from tests.torture.parsers import ROOT, inputs_of, native, targets
from tests.torture.tally import table


def python(name, seconds):
    """One entry point under atheris: (row of the table, what it printed where it failed)."""
    begun = time.monotonic()
    options = [f"-max_total_time={seconds}", "-max_len=9000", "-timeout=10", "-print_final_stats=1", "-verbosity=0"]
    command = [sys.executable, "-m", "tests.torture.fuzz_one", name, *options]
    folder = ROOT / "build/corpus/python"
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*command, f"-artifact_prefix={folder}/{name.replace(' ', '-')}-"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        errors="replace",
    )
    row = (
        f"Python: {name}",
        f"{time.monotonic() - begun:.0f}",
        f"{inputs_of(done.stdout):,}",
        done.returncode and "found",
    )
    return row, re.sub(r"\n+", "\n", done.stdout[-3000:]) if done.returncode else ""


def main(arguments):
    """Run all; the exit status."""
    seconds = int(arguments[0]) if arguments else 60
    rows, faults = [("target", "seconds", "inputs", "faults")], []
    for name in sorted(ENTRY_POINTS):
        row, fault = python(name, seconds)
        rows.append((*row[:3], row[3] or 0))
        faults += [fault] if fault else []
        print(f"{row[0]}: {row[2]} inputs in {row[1]} s", file=sys.stderr, flush=True)
    for tally in native(seconds * len(targets())):
        rows += [(f"C: {target}", took, inputs, "") for target, took, inputs in tally.rows[1:]]
        faults += tally.bad
    print(table(rows))
    print("\n".join(faults) or "Nothing was found.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
