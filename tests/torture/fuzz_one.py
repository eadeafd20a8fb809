# SPDX-License-Identifier: MIT
"""python -m tests.torture.fuzz_one NAME [OPTION...]: one of Python's entry points under atheris."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["agent"]):
    from tests.torture.entry_points import ENTRY_POINTS, SEEDS


def main(arguments):
    """Fuzz it, beginning with its seeds."""
    name, *options = arguments
    read = ENTRY_POINTS[name]
    folder = Path("build/corpus/python") / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (folder / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, str(folder)], lambda content: read(bytes(content)))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
