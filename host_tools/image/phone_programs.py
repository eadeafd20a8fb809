# SPDX-License-Identifier: MIT
"""Programs that an image has beside the agent: a folder with its own files, or a package of the board's suite.

FOLDER goes to /programs/FOLDER. rootfs/programs starts its executable `start`. Its file `packages` may name
packages of the suite, one a line, each with patterns of the files that are wanted (all, without one):

    baresip-core usr/bin/baresip usr/lib/baresip/modules/account.so usr/lib/baresip/modules/g711.so

PACKAGE gives /programs/PACKAGE/start, which starts its one program. Files of packages keep their paths. The libraries that they
need are added to usr/lib unless the image has them, and so are the two libraries for other programs, libphonetrust-client.so
and libphonetrust-pkcs11.so.
"""

import dataclasses
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import tempfile

from host_tools.image import cpio, elf, packages, programs
from host_tools.image.errors import ImageError

_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{0,60}")
_LISTS = "phonetrust-lists"  # inside an unpacked set: NAME, the names of each package's files, and NAME.version
KEPT = ("usr/bin/", "usr/sbin/", "usr/libexec/", "usr/lib/")
LIBRARIES = "usr/lib/aarch64-linux-gnu"
OWN_LIBRARIES = ("libphonetrust-client.so", "libphonetrust-pkcs11.so")


@dataclasses.dataclass
class Programs:
    """entries: {path: cpio.Entry}. packages: {name: (version, folder with its copyright file)} of the Debian packages that have
    a file among the entries. folders: {name: SHA-256 of its files} of the programs that came as folders."""

    entries: dict = dataclasses.field(default_factory=dict)
    packages: dict = dataclasses.field(default_factory=dict)
    folders: dict = dataclasses.field(default_factory=dict)


def collect(words, board, top, in_the_image, report):
    """The Programs that `words` name, folders or packages.

    board: board.Board. in_the_image: names of the libraries that the image has already. report(text) is called with progress.
    ImageError that says what is missing or wrong."""
    found, folders = {}, {}
    wanted = {}  # package -> patterns
    for word in words:
        folder = pathlib.Path(word)
        if "/" in word or folder.is_dir():
            files = _folder(folder, wanted)
            folders[folder.resolve().name] = _digest(files)
            found |= files
        elif _NAME.fullmatch(word):
            wanted.setdefault(word, []).append("*")
        else:
            raise ImageError(f"--program {word}: is neither a folder nor the name of a package")
    unpacked = _unpack(sorted(wanted), board.packages, top / "build", report) if wanted else None
    for package, patterns in wanted.items():
        taken = _chosen(unpacked, package, patterns)
        found |= {name: _entry(unpacked / name) for name in taken}
        if package in words:
            found |= _start_of(package, taken)
    if unpacked is not None:
        found |= _libraries(found, unpacked, in_the_image)
    owners = _owners(found, unpacked) if unpacked is not None else {}
    for name in OWN_LIBRARIES if words else ():
        library = top / "build/native/aarch64" / name
        if not library.is_file():
            raise ImageError(f"{library}: is missing; `make native` builds it")
        found[f"{LIBRARIES}/{name}"] = cpio.file(library.read_bytes(), executable=True)
    return Programs(found, owners, folders)


def _digest(files):
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name].content).digest())
    return digest.hexdigest()


def _owners(found, unpacked):
    """{package: (version, folder of its documents)} of the packages that files of `found` are from."""
    owners = {}
    for path in sorted((unpacked / _LISTS).glob("*.version")):
        package = path.name.removesuffix(".version")
        names = set((unpacked / _LISTS / package).read_text().split("\n"))
        # A library's file is where /lib was merged into /usr/lib, whatever the package says.
        if any(name in names or name.removeprefix("usr/") in names for name in found):
            owners[package] = (path.read_text().strip(), unpacked / "usr/share/doc" / package)
    return owners


def _folder(folder, wanted):
    """A folder's files; what its `packages` asks for goes to `wanted`."""
    name = folder.resolve().name
    if not folder.is_dir():
        raise ImageError(f"--program {folder}: is no folder")
    if not _NAME.fullmatch(name):
        raise ImageError(f"--program {folder}: its name must be of small letters, digits, '+', '.' and '-'")
    if not os.access(folder / "start", os.X_OK) or not (folder / "start").is_file():
        raise ImageError(f"--program {folder}: has no executable `start`, so nothing could be started")
    for number, line in enumerate(_text(folder / "packages").splitlines(), 1):
        words = line.partition("#")[0].split()
        if words and not _NAME.fullmatch(words[0]):
            raise ImageError(f"{folder / 'packages'}: line {number}: {words[0]!r} is no package's name")
        if words:
            wanted.setdefault(words[0], []).extend(words[1:] or ["*"])
    paths = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()]
    return {f"programs/{name}/{path.relative_to(folder)}": _entry(path) for path in paths if path.name != "packages"}


def _text(path):
    return path.read_text() if path.is_file() else ""


def _entry(path):
    if path.is_symlink():
        return cpio.link(os.readlink(path))
    return cpio.file(path.read_bytes(), executable=bool(path.stat().st_mode & 0o111))


def _chosen(unpacked, package, patterns):
    """The package's files that patterns ask for. ImageError where a pattern matches no file."""
    names = (unpacked / _LISTS / package).read_text().split("\n")
    names = [name for name in names if name.startswith(KEPT) and not name.endswith("/")]
    taken = set()
    for pattern in patterns:
        matching = fnmatch.filter(names, pattern)
        if not matching:
            raise ImageError(f"package {package} has no file {pattern} below {', '.join(KEPT)}")
        taken.update(matching)
    return sorted(taken)


def _start_of(package, names):
    """The script that starts a package's one program."""
    executables = [name for name in names if name.startswith(("usr/bin/", "usr/sbin/"))]
    if len(executables) != 1:
        several = ", ".join(pathlib.PurePosixPath(name).name for name in executables) or "none"
        raise ImageError(
            f"--program {package}: it must have one program, and it has {several}; make a folder with a `start` that says "
            "which one, and with the package's name in `packages`"
        )
    script = f"#!/bin/sh\nexec {shlex.quote('/' + executables[0])}\n"
    return {f"programs/{package}/start": cpio.file(script.encode(), executable=True)}


def _libraries(found, unpacked, in_the_image):
    """The libraries that programs and modules in `found` need and the image lacks."""
    folder = unpacked / LIBRARIES
    needed = {}
    for name, entry in found.items():
        if stat.S_ISREG(entry.mode) and entry.content.startswith(b"\x7fELF"):
            with tempfile.NamedTemporaryFile(prefix=pathlib.PurePosixPath(name).name) as file:
                file.write(entry.content)
                file.flush()
                needed |= elf.libraries(pathlib.Path(file.name), [folder])
    return {
        f"{LIBRARIES}/{name}": cpio.file(path.read_bytes(), executable=True)
        for name, path in needed.items()
        if name not in in_the_image and f"{LIBRARIES}/{name}" not in found
    }


def _unpack(names, suite, build, report):
    """The packages and what they depend on, unpacked once -> their folder."""
    wanted = {"suite": suite.suite, "architecture": suite.architecture, "include": names, "format": 2}
    key = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
    folder = pathlib.Path(build).resolve() / "packages" / f"programs-{suite.suite}-{suite.architecture}-{key}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = pathlib.Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        report(f"fetching {', '.join(names)} of {suite.suite}")
        _fetch(names, suite, partial / "all")
        try:
            (partial / "all").rename(folder)
        except OSError:  # another build was quicker
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _fetch(names, suite, folder):
    source = f"deb [signed-by={packages.KEYRING}] {packages.archive()} {suite.suite} {' '.join(suite.components)}"
    # The lists say which package each file is from; dpkg's own lists come only with an installation.
    lists = f'mkdir "$1/{_LISTS}"; for deb in "$1"/var/cache/apt/archives/*.deb; do name=${{deb##*/}}; '
    lists += f"""dpkg-deb --fsys-tarfile "$deb" | tar -t | sed 's,^\\./,,' >"$1/{_LISTS}/${{name%%_*}}"; """
    lists += f"""dpkg-deb --field "$deb" Version >"$1/{_LISTS}/${{name%%_*}}.version"; done"""
    command = [
        programs.find("mmdebstrap"), "--quiet", "--mode=auto" if os.geteuid() == 0 else "--mode=chrootless",
        f"--architectures={suite.architecture}", "--variant=extract", "--format=directory",
        f"--keyring={packages.KEYRING}", '--aptopt=Acquire::Retries "5"', f"--include={','.join(names)}",
        f"--extract-hook={lists}", suite.suite, str(folder), source,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        told = [line for line in lines if line.startswith("E:")] or lines[-1:]
        raise ImageError(f"mmdebstrap could not fetch {', '.join(names)}: {' '.join(told)}")
