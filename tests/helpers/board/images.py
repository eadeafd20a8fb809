# SPDX-License-Identifier: MIT
"""Images for tests."""

from pathlib import Path

from host_tools.image import board as boards
from host_tools.image import build as builder


def build_image(name, path):
    """Build a board's image of this source tree into `path`; what did not change comes from build/."""
    builder.build(boards.load(name), boards.TOP, Path(path), builder.Content(), lambda text: None)
    return Path(path)
