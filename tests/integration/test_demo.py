# SPDX-License-Identifier: MIT
"""`make run`'s demonstration goes as it tells: its own comparison of each boot decides its exit status."""

import subprocess
import sys


def test_the_demonstration_goes_as_told():
    command = [sys.executable, "-m", "host_tools.demo"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    reasons = ["first-use", "unchanged", "vouched-by-tvs", "tvs-unreachable"]
    told = [line for line in done.stdout.splitlines() if "as it must be: itl" in line]
    assert [line.split()[5].rstrip(",") for line in told] == [*reasons, "unchanged"], done.stdout
