# SPDX-License-Identifier: MIT
"""Runs a program of tests/helpers on MicroPython arm64, with an order in JSON and an answer in JSON."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def on_micropython(wanted, folder, program="tests/helpers/servers/protocol_phone.py"):
    """The last line that `program` prints, read; `wanted` is written to a file in `folder`, the program's argument."""
    path = folder / "wanted.json"
    path.write_text(json.dumps(wanted))
    result = subprocess.run(
        [ROOT / "host_tools/setup/micropython", program, path],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout.splitlines()[-1])
