# SPDX-License-Identifier: MIT
"""The size of the library on the phone."""

from pathlib import Path

from host_tools.bench.measure import Line

LIBRARY = Path(__file__).resolve().parent.parent.parent / "build" / "native" / "aarch64" / "libphonetrust.so"


def lines():
    """The arm64 library as it is installed, stripped."""
    yield Line("libphonetrust.so for arm64", LIBRARY.stat().st_size / 1024, "KB", limit=340)
