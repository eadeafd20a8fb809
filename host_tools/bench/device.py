# SPDX-License-Identifier: MIT
"""The phone's Python with the phone's software on this machine, as a board has both: bytecode, mapped from one file."""

import functools
import platform
import subprocess
from pathlib import Path

from host_tools.image import software

ROOT = Path(__file__).resolve().parents[2]
WRAPPER = ROOT / "host_tools/setup/micropython"
START = Path(__file__).with_name("mapped.py")


def install(folder, *programs, more=()):
    """The phone's software as an image has it, and programs of the bench (paths) as bytecode: a compiler on the phone would
    take time and memory of its own. more: as of host_tools.image.software.modules()."""
    software.unpack(folder, ROOT, platform.machine())
    if more:
        (folder / software.SOFTWARE).write_bytes(software.modules(ROOT, more))
    for source in (START, *programs):
        compiled = software.compile_source(source.name, source, source.read_bytes())
        (folder / source.with_suffix(".mpy").name).write_bytes(compiled)


def environment(folder, architecture=None):
    """What MicroPython needs to run the software in `folder`. architecture: another one than this machine's."""
    library = ROOT / "build/native" / architecture / "libphonetrust.so" if architecture else folder / "libphonetrust.so"
    return {"PATH": "/usr/bin:/bin", "MICROPYPATH": f"{folder}:.frozen", "PHONETRUST_LIBRARY": str(library)}


def command(program, *arguments, heap=None):
    """The command line for a program (the path of its source) that install() brought. heap: such as "512K"."""
    options = [] if heap is None else ["-X", f"heapsize={heap}"]
    return [*interpreter(), *options, "-m", START.stem, program.stem, *map(str, arguments)]


@functools.cache
def interpreter():
    """The command line of MicroPython for this machine, without the shell script that finds it: a board has none."""
    asked = "print(open('/proc/self/cmdline').read())"
    said = subprocess.run(
        [WRAPPER, platform.machine(), "-c", asked], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    return tuple(said.split("\0")[: -len(["-c", asked, "\n"])])
