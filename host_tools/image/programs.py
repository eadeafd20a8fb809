# SPDX-License-Identifier: MIT
"""Running the programs of the PC that build an image, so that a failure is one sentence and not a traceback."""

import os
import shutil
import subprocess

from host_tools.image.errors import ImageError

# Debian's package for each program, for the sentence that says what is missing.
PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "depmod": "kmod",
    "modprobe": "kmod",
    "readelf": "binutils",
    "mkfs.vfat": "dosfstools",
    "mkfs.ext4": "e2fsprogs",
    "mcopy": "mtools",
    "mdir": "mtools",
    "sfdisk": "fdisk",
    "fdtget": "device-tree-compiler",
    "fdtput": "device-tree-compiler",
    "make": "make",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "apt-get": "apt",
    "qemu-system-aarch64": "qemu-system-arm",
}


def find(program):
    """Full path of a program. It may be in /sbin, which the PATH of many users lacks. Raises ImageError."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        package = PACKAGES.get(program, program)
        raise ImageError(f"{program} is not on this machine: it is in Debian's package {package}")
    return path


def run(program, *arguments, stdin=None, environment=None):
    """Run it to its end -> what it printed, as bytes. Raises ImageError with its last line of complaint."""
    done = subprocess.run(
        [find(program), *map(str, arguments)],
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
        check=False,
    )
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise ImageError(f"{program} failed: {complaint[-1]}")
    return done.stdout
