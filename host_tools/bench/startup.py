# SPDX-License-Identifier: MIT
"""From the start of a process to its verdict about a trust list: the phone's Python against the PC's."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from host_tools.bench.measure import Line, medians
from host_tools.image.software import bytecode

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(__file__).with_name("verdict.py")
LIST = ROOT / "tests" / "vectors" / "itl-over64k.tlv"
ROUNDS = 31


def install(folder):
    """The phone's bytecode, as files instead of the image's one file, and the program, into `folder`."""
    library = (ROOT / "build/native/x86_64/libphonetrust.so").read_bytes()
    for name, content in {**bytecode(ROOT), "libphonetrust.so": library}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    shutil.copy(PROGRAM, folder)


def side(command, **options):
    """A function that runs the program once and insists on its verdict."""

    def run():
        done = subprocess.run(
            [*command, str(LIST)], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options
        )
        if done.stdout.strip() != "accepted first-use":
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")

    return run


def lines():
    """The same program in both interpreters of this machine's own kind; the emulated phone's for information."""
    wrapper = str(ROOT / "host_tools/setup/micropython")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        install(folder)
        library = str(folder / "libphonetrust.so")
        environment = {"PATH": "/usr/bin:/bin", "MICROPYPATH": str(folder), "PHONETRUST_LIBRARY": library}
        program = str(folder / PROGRAM.name)
        emulated = {**environment, "PHONETRUST_LIBRARY": str(ROOT / "build/native/aarch64/libphonetrust.so")}
        sides = [
            side([wrapper, "x86_64", program], env=environment),
            side([sys.executable, str(PROGRAM)], cwd=ROOT),
            side([wrapper, "aarch64", program], env=emulated),
        ]
        ours, theirs, phone = (seconds * 1e3 for seconds in medians(sides, ROUNDS))
    what = "process start to verdict, 63 records"
    yield Line(what, ours, "ms", theirs, 0.15, "ours: MicroPython, theirs: CPython, the same agent and libphonetrust")
    yield Line(f"{what}, emulated", phone, "ms", note="arm64 MicroPython under user-mode emulation")
