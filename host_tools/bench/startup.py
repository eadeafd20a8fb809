# SPDX-License-Identifier: MIT
"""From the start of a process to its verdict about a trust list: the phone's Python against the PC's."""

import subprocess
import sys
import tempfile
from pathlib import Path

from host_tools.bench import device
from host_tools.bench.measure import Line, medians

ROOT = device.ROOT
PROGRAM = Path(__file__).with_name("verdict.py")
IMPORTS = Path(__file__).with_name("imports.py")
LIST = ROOT / "tests" / "vectors" / "itl-over64k.tlv"
ROUNDS = 21
NEEDED = ("hal.device", "agent.trust.rules")
READER = (
    "import sys; from host_tools.bench import plain_reader; plain_reader.read(open(sys.argv[1], 'rb').read()); "
    "print('accepted first-use')"
)


def side(command, answer="accepted first-use", **options):
    """A function that runs the program once and insists on what it says."""

    def run():
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
        if done.stdout.strip() != answer or done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")

    return run


def lines():
    """MicroPython against CPython with `cryptography`, and against the same agent and library on CPython."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        device.install(folder, PROGRAM, IMPORTS)
        environment = device.environment(folder)
        phone = [device.WRAPPER, "aarch64", "-m", device.START.stem, PROGRAM.stem, LIST]
        sides = [
            side(device.command(PROGRAM, LIST), env=environment),
            side([sys.executable, "-c", READER, LIST], cwd=ROOT),
            side([sys.executable, PROGRAM, LIST], cwd=ROOT),
            side([*device.interpreter(), "-c", ""], "", env=environment),
            side(device.command(IMPORTS, *NEEDED), "", env=environment),
            side(device.command(IMPORTS, "asyncio", "agent.main"), "", env=environment),
            side(phone, env=device.environment(folder, "aarch64")),
        ]
        ours, reader, agent, bare, needed, whole, emulated = (taken * 1e3 for taken in medians(sides, ROUNDS))
    yield Line(
        "MicroPython, process start to verdict", ours, "ms", reader, 0.10,
        "63 records; ours: the agent's rules and libphonetrust on MicroPython x86-64, mapped as on a board; other: CPython "
        "with `cryptography` and the plain reader", 3,
        [
            ("the interpreter alone", bare),
            ("mapping the software, reading the modules of the rules", max(needed - bare, 0)),
            ("libphonetrust, the list, the verdict", max(ours - needed, 0)),
        ],
    )  # fmt: skip
    yield Line(
        "MicroPython, start to verdict, the agent on both", ours, "ms", agent, 0.15,
        "as before; other: CPython with the same agent and libphonetrust",
    )  # fmt: skip
    yield Line(
        "time to import the whole agent", whole - bare, "ms", None, None,
        "agent/main.py and all that it imports, MicroPython x86-64, mapped as on a board, less the start of the interpreter",
        11,
    )  # fmt: skip
    yield Line(
        "emulated arm64, process start to verdict", emulated, "ms", None, None,
        "MicroPython for arm64 under user-mode emulation, as the tests run it",
    )  # fmt: skip
