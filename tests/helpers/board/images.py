# SPDX-License-Identifier: MIT
"""Images for tests."""

import fcntl
from pathlib import Path

from host_tools.image import board as boards
from host_tools.image import build as builder


def build_image(name, path):
    """Build a board's image of this source tree into `path`; parts that did not change come from build/. Of two test runs at the
    same time, one waits for the other's build."""
    kept = boards.TOP / "build/image"
    kept.mkdir(parents=True, exist_ok=True)
    with open(kept / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        builder.build(boards.load(name), boards.TOP, Path(path), builder.Content(), lambda text: None)
    return Path(path)
