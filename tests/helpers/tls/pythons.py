# SPDX-License-Identifier: MIT
"""The same TLS exchanges on each Python: CPython here, MicroPython for both processors as a separate program."""

import json
import os
import subprocess
from pathlib import Path

from tests.helpers.tls import exchange as client

ROOT = Path(__file__).resolve().parents[3]
PYTHONS = ("cpython", "micropython-x86_64", "micropython-aarch64")


def exchanges(python, *cases, timeout=120):
    """What client.exchange() gives on this Python for each of the cases (its arguments as dicts)."""
    if python == "cpython":
        return [client.exchange(**case) for case in cases]
    architecture = python.removeprefix("micropython-")
    given = [{key: _text(value) for key, value in case.items()} for case in cases]
    done = subprocess.run(
        [ROOT / "host_tools/setup/micropython", architecture, "-X", "heapsize=16m", ROOT / "tests/helpers/tls/exchange.py"],
        env={
            **os.environ,
            "MICROPYPATH": str(ROOT),
            "PHONETRUST_LIBRARY": str(ROOT / "build/native" / architecture / "libphonetrust.so"),
        },
        input=json.dumps(given), capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)
    for result in results:
        for key in client.BYTES:
            result[key] = bytes.fromhex(result[key])
    return results


def _text(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (tuple, list)):
        return [_text(each) for each in value]
    return value
