# SPDX-License-Identifier: MIT
"""`make run`'s demonstration, run to its end."""

import subprocess
import sys

#: What it decides about the trust lists, scene by scene.
REASONS = ["first-use", "unchanged", "vouched-by-tvs", "tvs-unreachable", "unchanged"]


def demonstrated(phone, *options):
    """Run the demonstration with this kind of phone; it must end well. The reasons that it showed for trust lists."""
    command = [sys.executable, "-m", "host_tools.demo", phone, *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if "as it must be: itl" in line]
    return [line.split()[5].rstrip(",") for line in told]
