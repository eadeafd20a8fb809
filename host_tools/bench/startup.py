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
ROUNDS = 21
READER = (
    "import sys; from host_tools.bench import plain_reader; plain_reader.read(open(sys.argv[1], 'rb').read()); "
    + ("print('accepted first-use')")
)


def install(folder):
    """The phone's bytecode, as files instead of the image's one file, and the program, into `folder`."""
    library = (ROOT / "build/native/x86_64/libphonetrust.so").read_bytes()
    for name, content in {**bytecode(ROOT), "libphonetrust.so": library}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    shutil.copy(PROGRAM, folder)
    (folder / "imports.py").write_text("import asyncio\nimport agent.main\n")


def side(command, answer="accepted first-use", **options):
    """A function that runs the program once and insists on its verdict."""

    def run():
        done = subprocess.run(
            [*command, str(LIST)], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options
        )
        if done.stdout.strip() != answer or done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")

    return run


def lines():
    """MicroPython against CPython with `cryptography`, and against the same agent and library on CPython."""
    wrapper = str(ROOT / "host_tools/setup/micropython")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        install(folder)
        library = str(folder / "libphonetrust.so")
        environment = {"PATH": "/usr/bin:/bin", "MICROPYPATH": str(folder), "PHONETRUST_LIBRARY": library}
        program = str(folder / PROGRAM.name)
        emulated = {**environment, "PHONETRUST_LIBRARY": str(ROOT / "build/native/aarch64/libphonetrust.so")}
        python = [sys.executable, "-c"]
        sides = [
            side([wrapper, "x86_64", program], env=environment),
            side([*python, READER], cwd=ROOT),
            side([sys.executable, str(PROGRAM)], cwd=ROOT),
            side([wrapper, "x86_64", "-c", "import asyncio"], answer="", env=environment),
            side([wrapper, "x86_64", str(folder / "imports.py")], answer="", env=environment),
            side([wrapper, "aarch64", program], env=emulated),
        ]
        ours, reader, agent, bare, imports, phone = (seconds * 1e3 for seconds in medians(sides, ROUNDS))
    yield Line(
        "MicroPython, process start to verdict", ours, "ms", reader, 0.10,
        "63 records; ours: the agent's rules with the image's bytecode and libphonetrust on MicroPython x86-64; other: CPython "
        "with `cryptography` and the plain reader", 3,
        [("the interpreter alone", bare), ("reading modules, agent/main.py too", imports - bare)],
    )  # fmt: skip
    yield Line(
        "MicroPython, start to verdict, the agent on both", ours, "ms", agent, 0.15,
        "as before; other: CPython with the same agent and libphonetrust",
    )  # fmt: skip
    yield Line(
        "time to import the whole agent", imports - bare, "ms", None, None,
        "agent/main.py and all that it imports, MicroPython x86-64 with the image's bytecode, less the start of the interpreter",
        11,
    )  # fmt: skip
    yield Line(
        "emulated arm64, process start to verdict", phone, "ms", None, None,
        "MicroPython for arm64 under user-mode emulation, as the tests run it",
    )  # fmt: skip
