# SPDX-License-Identifier: MIT
"""make in native/ and its folders, under a lock: two test runs never build the same file at once."""

import fcntl
import subprocess

from tests.helpers.native.library import BUILD, ROOT


def make(folder, *targets):
    """Build targets by `folder`'s Makefile, in one process at a time."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            ["make", "--no-print-directory", "-C", folder, "-j2", *targets],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        )  # fmt: skip
    assert done.returncode == 0, f"make -C {folder} {' '.join(targets)}:\n{done.stdout}"
