# SPDX-License-Identifier: MIT
"""A board's folder as an object. boards/NAME/board.toml is data; this file says what each key means.

Every board has cmdline.txt. A board with boot firmware (a Raspberry Pi) also has config.txt.
"""

import dataclasses
import pathlib
import re
import tomllib

from host_tools.image import strict
from host_tools.image.errors import ImageError

TOP = pathlib.Path(__file__).resolve().parents[2]
BOARDS = TOP / "boards"
MIB = 1 << 20
ENVIRONMENT_FROM_END = 65536  # bytes from the end of a slot's partition
STARTS = ("u-boot", "kernel")
LOADERS = ("kernel", "bios")


@dataclasses.dataclass
class Identity:
    """[board]"""

    name: str  # the folder's name
    title: str  # for people
    model: str  # the phone's model, unless phone.json names another


@dataclasses.dataclass
class Packages:
    """[packages]: what mmdebstrap unpacks; no package script is run."""

    suite: str  # Debian's release
    architecture: str  # as Debian names it
    components: list[str]
    include: list[str]


@dataclasses.dataclass
class Boot:
    """[boot]: files of the FAT partition."""

    loader: str  # name of U-Boot there; "" where the board has none and only QEMU starts it
    kernel_address: (
        int  # where the kernel is unpacked to: 2 MiB behind the start of memory, as an arm64 kernel wants it
    )
    device_trees: list[str]  # in the kernel package's folder of device trees; without folder on the partition
    firmware: list[str]  # of the package raspi-firmware


@dataclasses.dataclass
class Layout:
    """[image]: sizes in MiB. MBR, then at 1 MiB the FAT32 partition, then raw ones: trust store, slot A, slot B."""

    size_mib: int  # a power of two, as QEMU's SD card requires
    boot_mib: int
    store_mib: int
    slot_mib: int  # of each slot's partition; its last MiB is for a copy of U-Boot's environment
    label: str  # of the FAT partition
    identifier: int  # of the disk (MBR) and the FAT volume: the phone finds its partitions by it

    def partitions(self):
        """(offset, size) in bytes of the four partitions: FAT, trust store, slot A, slot B."""
        found, at = [], MIB
        for size in (self.boot_mib, self.store_mib, self.slot_mib, self.slot_mib):
            found.append((at, size * MIB))
            at += size * MIB
        return found

    def slot_offsets(self):
        """Where slot A and slot B begin, in bytes."""
        return tuple(offset for offset, _ in self.partitions()[2:])

    def slot_size(self):
        """The most bytes that a boot image may have."""
        return (self.slot_mib - 1) * MIB

    def environment_offsets(self):
        """Where the two copies of U-Boot's environment begin: near the end of each slot's partition, so that no erase
        block of a card holds both."""
        return tuple(offset + self.slot_mib * MIB - ENVIRONMENT_FROM_END for offset in self.slot_offsets())


@dataclasses.dataclass
class Uboot:
    """[uboot]: the boot loader that checks and starts the slots."""

    configuration: str  # of U-Boot's source: configs/NAME
    card: int  # U-Boot's number of the card
    address: int  # where a slot is read to: above all that the kernel unpacks over


@dataclasses.dataclass
class Phone:
    """[phone]: what its init needs."""

    console: str  # device of the serial console, without /dev/
    interfaces: list[str]  # network interfaces, the first that appears is used
    watchdog: str  # module of the watchdog that is fed
    modules: list[str]  # loaded at start, in this order
    modules_on_request: list[str]  # in the image; the kernel command line may ask for them


@dataclasses.dataclass
class Qemu:
    """[qemu]: how the board is emulated. {image} and {mac} are filled in."""

    machine: str
    memory_mib: int
    device_tree: str  # file of the FAT partition
    own_tree: bool  # QEMU makes this tree for its machine, and is asked for it when an image is built
    loader: str  # QEMU's option that starts U-Boot: "kernel" or "bios"
    arguments: list[str]
    disk: list[str]
    network: list[str]
    cmdline: str  # added to the image's cmdline.txt
    start: str  # what QEMU starts: "u-boot" (as the board's firmware does), or "kernel": that of the confirmed slot
    test_start: str  # the same for tests that are not about U-Boot, which takes some seconds


@dataclasses.dataclass
class Board:
    """All of board.toml. `folder` is where it was read from."""

    board: Identity
    packages: Packages
    boot: Boot
    image: Layout
    phone: Phone
    uboot: Uboot | None = None
    qemu: Qemu | None = None
    folder: pathlib.Path | None = None

    @property
    def name(self):
        return self.board.name

    def trees(self):
        """Names of the device trees on the FAT partition."""
        found = [pathlib.PurePosixPath(tree).name for tree in self.boot.device_trees]
        return found + ([self.qemu.device_tree] if self.qemu and self.qemu.own_tree else [])

    @property
    def command_line(self):
        """The kernel command line of cmdline.txt, one line."""
        if self.folder is None:
            raise ImageError(f"{self.name}: this board was not read from a folder")
        return (self.folder / "cmdline.txt").read_text().strip()


def names(folder=BOARDS):
    """The names of all boards, sorted."""
    return sorted(path.parent.name for path in pathlib.Path(folder).glob("*/board.toml"))


def load(name, folder=BOARDS):
    """Read and check one board's folder -> Board. Raises ImageError, which names the file and the key."""
    path = pathlib.Path(folder) / name / "board.toml"
    if not path.is_file():
        known = names(folder)
        raise ImageError(f"no board '{name}'{strict.suggestion(name, known)}")
    try:
        values = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImageError(f"{path}: {error}") from error
    if "folder" in values:
        raise ImageError(f"{path}: unknown key 'folder'")
    board = strict.fill(Board, values, str(path))
    board.folder = path.parent
    _check(board, path)
    return board


def _check(board, path):
    def wrong(key, text):
        raise ImageError(f"{path}: key '{key}': {text}")

    if board.name != board.folder.name:
        wrong("board.name", f"'{board.name}' is in the folder '{board.folder.name}'")
    layout = board.image
    if layout.size_mib < 1 or layout.size_mib & (layout.size_mib - 1):
        wrong("image.size_mib", f"must be a power of two, not {layout.size_mib}")
    if layout.boot_mib < 34:  # with one sector a cluster; fewer clusters than 65525 are FAT16 by definition
        wrong("image.boot_mib", f"FAT32 needs 34 MiB or more, not {layout.boot_mib}")
    if layout.store_mib < 1:
        wrong("image.store_mib", f"must be 1 or more, not {layout.store_mib}")
    if layout.slot_mib < 2:
        wrong("image.slot_mib", f"must be 2 or more, not {layout.slot_mib}")
    if 1 + layout.boot_mib + layout.store_mib + 2 * layout.slot_mib > layout.size_mib:
        parts = f"1 + {layout.boot_mib} + {layout.store_mib} + 2 x {layout.slot_mib}"
        wrong("image.size_mib", f"{parts} MiB do not fit in {layout.size_mib}")
    if bool(board.boot.loader) != bool(board.uboot):
        wrong("boot.loader", "a board has both, boot.loader and [uboot], or neither")
    for key in ("start", "test_start") if board.qemu else ():
        start = getattr(board.qemu, key)
        if start not in STARTS or start == "u-boot" and not board.uboot:
            wrong(f"qemu.{key}", f"'u-boot' (with [uboot]) or 'kernel', not {start!r}")
    if board.qemu and board.qemu.loader not in LOADERS:
        wrong("qemu.loader", f"'kernel' or 'bios', not {board.qemu.loader!r}")
    if not re.fullmatch(r"[A-Z0-9]{1,11}", layout.label):
        wrong("image.label", f"up to 11 of A-Z and 0-9, not {layout.label!r}")
    if not 0 < layout.identifier < 1 << 32:
        wrong("image.identifier", "must be a 32-bit number, not 0")
    if not board.phone.interfaces:
        wrong("phone.interfaces", "names no network interface")
    if board.phone.watchdog not in board.phone.modules_on_request:
        wrong("phone.watchdog", f"'{board.phone.watchdog}' is not in modules_on_request")
    if board.qemu and board.qemu.device_tree not in board.trees():
        wrong("qemu.device_tree", f"'{board.qemu.device_tree}' is not among boot.device_trees")
    for name in ["cmdline.txt"] + (["config.txt"] if board.boot.firmware else []):
        if not (board.folder / name).is_file():
            raise ImageError(f"{board.folder / name}: is missing")
    if len(board.command_line.splitlines()) != 1:
        raise ImageError(f"{board.folder / 'cmdline.txt'}: must be one line, because the boot firmware reads only one")
    if f"console={board.phone.console}" not in board.command_line:
        raise ImageError(
            f"{board.folder / 'cmdline.txt'}: names no console={board.phone.console} as phone.console says"
        )
