# SPDX-License-Identifier: MIT
"""Debian packages of the board's architecture, unpacked into build/packages, once for each set of packages.

mmdebstrap writes a tar stream and we take the files that an image can need out of it: no file of the builder's own
system gets in, no package script runs, and an ordinary user may do it.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile

from host_tools.image import programs
from host_tools.image.errors import ImageError

# Files of packages that are kept.
KEPT = ("boot/", "usr/bin/", "usr/lib/")
# Kept as well: files that state the version of a package and its licence.
STATED = re.compile(r"usr/share/doc/[^/]+(/(copyright|changelog(\.Debian)?(\.[a-z0-9]+)?\.gz))?")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def unpack(packages, build, report):
    """Make sure that `packages` (board.Packages) are unpacked -> their folder. `report(text)` is called at each step.

    Raises ImageError where they cannot be fetched.
    """
    wanted = {
        "suite": packages.suite,
        "architecture": packages.architecture,
        "components": packages.components,
        "include": sorted(packages.include),
        "kept": [*KEPT, STATED.pattern],
    }
    key = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
    folder = pathlib.Path(build).resolve() / "packages" / f"{packages.suite}-{packages.architecture}-{key}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = pathlib.Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        _fetch(packages, partial, report)
        _prepare_modules(partial)
        partial.chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:  # another build was quicker
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def kernel_version(folder):
    """The version of the one kernel in the packages, like "6.12.57+deb13-arm64"."""
    versions = [path.name for path in (folder / "usr/lib/modules").glob("*")]
    if len(versions) != 1:
        raise ImageError(f"{folder}: holds {len(versions)} kernels, one is needed")
    return versions[0]


def _fetch(packages, folder, report):
    site = archive()
    components = " ".join(packages.components)
    source = f"deb [signed-by={KEYRING}] {site} {packages.suite} {components}"
    mode = "auto" if os.geteuid() == 0 else "chrootless"
    command = [
        programs.find("mmdebstrap"), f"--mode={mode}", f"--architectures={packages.architecture}", "--variant=extract",
        "--format=tar", f"--keyring={KEYRING}", '--aptopt=Acquire::Retries "5"',
        f"--include={','.join(packages.include)}", packages.suite, "-", source,
    ]  # fmt: skip
    report(f"fetching {len(packages.include)} packages of {packages.suite}")
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, env=_environment()
        )
        with process:
            try:
                _extract(process.stdout, folder)
            except tarfile.TarError:
                pass  # cut short: the exit status and the complaint below say why
        status = process.returncode
        if status != 0:
            complaints.seek(0)
            lines = complaints.read().decode(errors="replace").strip().splitlines()
            told = [line for line in lines if line.startswith("E:")] or lines[-1:]
            raise ImageError(f"mmdebstrap could not fetch {', '.join(packages.include)}: {' '.join(told)}")


def _environment():
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def archive():
    """The Debian archive that this machine's own apt uses."""
    for narrowing in (["Label: Debian"], []):
        sites = programs.run("apt-get", "indextargets", "--format", "$(SITE)", "Identifier: Packages", *narrowing)
        for site in sites.decode().split():
            if "security" not in site:
                return site
    raise ImageError("apt has no Debian package source configured on this machine")


def _extract(stream, folder):
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            if not (name.startswith(KEPT) or STATED.fullmatch(name)) or ".." in name.split("/"):
                continue
            target = folder / name
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif member.issym():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(member.linkname)
            elif member.islnk():
                os.link(folder / member.linkname.removeprefix("./"), target)
            elif member.isfile():
                target.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None, "a regular file has content"
                with content, open(target, "wb") as file:
                    shutil.copyfileobj(content, file)
                target.chmod(0o755 if member.mode & 0o111 else 0o644)


def _prepare_modules(folder):
    (folder / "lib").symlink_to("usr/lib")  # depmod looks there, and each program names its interpreter there
    programs.run("depmod", "-b", folder, kernel_version(folder))
