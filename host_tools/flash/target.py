# SPDX-License-Identifier: MIT
"""What a target of `phonetrust flash` is, and why it may not be written; all of it from /sys and /proc.

Two refusals have no override: a disk that is mounted or in use, and a disk of the running system.
"""

import dataclasses
import os
import pathlib
import stat

from host_tools.image.command_parts import Refusal, mebibytes
from host_tools.image.errors import ImageError

SYS = pathlib.Path("/sys")
# Where the running system lives; a disk that holds one of these is never written.
SYSTEM_PATHS = ("/", "/boot", "/boot/efi", "/usr", "/var", "/home")


@dataclasses.dataclass
class Target:
    """A file or a whole disk. `size` in bytes, None for a file, which becomes as large as the image."""

    path: pathlib.Path
    size: int | None = None
    device: pathlib.Path | None = None  # its folder in /sys, None for a file
    exists: bool = True

    @property
    def is_device(self):
        return self.device is not None

    def describe(self):
        """The card as a person knows it, for the question."""
        if self.device is None:
            return f"the file {self.path}" + ("" if self.exists else " (new)")
        name = " ".join(filter(None, (_read(self.device / f"device/{part}") for part in ("vendor", "model", "name"))))
        backing = _read(self.device / "loop/backing_file")
        kind = name or (f"loop device of {backing}" if backing else "disk without a name")
        return f"{self.path} ({kind}, {mebibytes(self.size)})"


def examine(path):
    """-> Target. Refusal or ImageError where `path` can never be written."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise ImageError(f"{path}: the folder {path.parent} does not exist") from None
        if path.is_relative_to("/dev"):
            raise ImageError(f"{path}: there is no such device; is the card in?") from None
        return Target(path, exists=False)
    if stat.S_ISREG(status.st_mode):
        return Target(path)
    if not stat.S_ISBLK(status.st_mode):
        raise Refusal(f"{path}: is neither a disk nor a file")
    device = (SYS / f"dev/block/{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}").resolve()
    if (device / "partition").exists():
        raise Refusal(f"{path}: is a partition; the image goes to the whole disk, /dev/{device.parent.name}")
    return Target(path, size=int(_read(device / "size") or 0) * 512, device=device)


def check(target, image_size, allow_fixed=False):
    """Refuse a target that must not be written or cannot hold the image. `allow_fixed`: take fixed disks, too."""
    if not target.is_device:
        return
    numbers = _numbers(target.device)
    for place in SYSTEM_PATHS:
        if os.path.exists(place) and _under(os.stat(place).st_dev) & numbers:
            raise Refusal(f"{target.path}: holds the running system ({place})")
    for number, place in _mounts():
        if _under(number) & numbers:
            raise Refusal(f"{target.path}: is mounted on {place}; unmount it first")
    for swap in _swaps():
        if _under(swap) & numbers:
            raise Refusal(f"{target.path}: holds swap space in use")
    for folder in (target.device, *_partitions(target.device)):
        for holder in (folder / "holders").glob("*"):
            raise Refusal(f"{target.path}: is in use by {holder.name}")
    if _read(target.device / "ro") == "1":
        raise Refusal(f"{target.path}: is read-only; look at the card's lock")
    if not allow_fixed and not _removable(target.device):
        raise Refusal(f"{target.path}: is not removable; if it is the card all the same: --allow-fixed-disk")
    if target.size == 0:
        raise Refusal(f"{target.path}: holds no medium; is the card in?")
    if target.size < image_size:
        raise Refusal(f"{target.path}: has {mebibytes(target.size)}, the image needs {mebibytes(image_size)}")


def _removable(device):
    if _read(device / "removable") == "1":
        return True
    # The kernel does not call an SD card in the mainboard's reader "removable"; an eMMC chip has the same driver.
    if _read(device / "device/type") == "SD":
        return True
    return any("usb" in part for part in device.parts)


def _partitions(device):
    return [entry.parent for entry in device.glob("*/partition")]


def _numbers(device):
    """Device numbers of a disk and its partitions."""
    return {_number(_read(folder / "dev")) for folder in (device, *_partitions(device))}


def _number(text):
    major, _, minor = text.partition(":")
    return os.makedev(int(major), int(minor))


def _under(number, depth=0):
    """A device number and those of all that it is made of: the disks below a logical volume or an encrypted one."""
    found = {number}
    folder = SYS / f"dev/block/{os.major(number)}:{os.minor(number)}"
    if depth < 8 and folder.exists():
        for slave in (folder / "slaves").glob("*"):
            found |= _under(_number(_read(slave / "dev")), depth + 1)
    return found


def _mounts():
    """(device number, mount point) of all that is mounted."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        yield _number(fields[2]), fields[4].encode().decode("unicode_escape")
        source = fields[fields.index("-") + 2]
        if source.startswith("/dev/") and os.path.exists(source):  # btrfs shows numbers of its own
            yield os.stat(source).st_rdev, fields[4]


def _swaps():
    for line in pathlib.Path("/proc/swaps").read_text().splitlines()[1:]:
        path = line.split()[0]
        if os.path.exists(path) and stat.S_ISBLK(os.stat(path).st_mode):
            yield os.stat(path).st_rdev


def _read(path):
    try:
        return path.read_text().strip()
    except OSError:
        return ""
