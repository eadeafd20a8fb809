# SPDX-License-Identifier: MIT
"""One subject at a time, each in a process of its own: one that fails, hangs or dies takes no other with it.

As a program, `python -m host_tools.bench.runner SUBJECT FILE` measures one subject and writes what it found to FILE, as JSON."""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from host_tools.bench.measure import Failure, from_dict

ROOT = Path(__file__).resolve().parents[2]
#: Seconds that a subject may take; one that takes longer hangs.
PATIENCE = 600
GRACE = 15  # seconds to take down servers and machines


def measure(subject, patience=PATIENCE, module="host_tools.bench.runner"):
    """What a subject found: Lines and Curves, or a Failure."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        found = Path(folder) / "found.json"
        process = subprocess.Popen(
            [sys.executable, "-m", module, subject, str(found)], cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            _, said = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            _end(process)
            return [Failure(subject, f"it took longer than {patience} s")]
        except BaseException:
            _end(process)
            raise
        if process.returncode != 0:
            words = (said or "").strip().splitlines()
            return [Failure(subject, words[-1] if words else f"its process ended with {process.returncode}")]
        return [from_dict(values) for values in json.loads(found.read_text())]


def _end(process):
    """End a subject: it is asked first, then what is left of its session is killed."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def main(arguments):
    """Measure one subject in this process."""
    subject, file = arguments
    try:
        found = list(importlib.import_module(f"host_tools.bench.{subject}").lines())
    except Exception as error:
        if os.environ.get("PHONETRUST_TRACEBACK"):
            raise
        print(f"{type(error).__name__}: {error}".replace("\n", " ").replace(f"{ROOT}/", ""), file=sys.stderr)
        return 2
    Path(file).write_text(json.dumps([line.as_dict() for line in found]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
