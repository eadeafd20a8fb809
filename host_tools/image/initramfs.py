# SPDX-License-Identifier: MIT
"""The phone's root file system, which lives in memory: an initramfs of two parts, one after the other.

The system (busybox, MicroPython, kernel modules) changes with the packages and is kept compressed in build/; the phone's
own software is small and compressed again at each build. The kernel unpacks both over each other.
"""

import hashlib
import lzma
import os
import shlex
import tempfile

from host_tools.image import cpio, elf, modules, software

# busybox's commands that the scripts use, and a few for a person who looks into a board.
APPLETS = (
    "awk cat chown cp cut date dd df dmesg echo free grep head hexdump hostname ip kill killall ln ls lsmod mkdir mkfifo "
    "modprobe mount mv ping printf ps reboot rm sed sh sleep stat sync tail timeout touch tr udhcpc umount "
    "uname usleep vi watchdog"
).split()
# Empty folders that file systems are mounted on.
MOUNT_POINTS = ("boot", "dev", "proc", "run", "sys", "tmp")
PHONE_USER = 1000
PROGRAM_USER = 1001  # the phone's other programs; their group is the agent's
SERIAL_USER = 1002  # the one writer on the serial line (native/board/start.h)
USERS = f"""root:x:0:0:root:/:/bin/sh
phone:x:{PHONE_USER}:{PHONE_USER}:phone:/phone:/bin/false
program:x:{PROGRAM_USER}:{PHONE_USER}:program:/:/bin/false
serial:x:{SERIAL_USER}:{SERIAL_USER}:serial:/:/bin/false
"""


def system(board, packages, version):
    """The entries of the first part."""
    busybox = packages / "usr/bin/busybox"
    interpreter = packages / "usr/bin/micropython"
    entries = {
        "bin/busybox": cpio.file(busybox.read_bytes(), executable=True),
        "bin/micropython": cpio.file(interpreter.read_bytes(), executable=True),
        "init": cpio.link("bin/busybox"),
        "dev/console": cpio.node(5, 1),
        "dev/null": cpio.node(1, 3, 0o666),
        "etc/passwd": cpio.file(USERS.encode()),
        "etc/group": cpio.file(f"root:x:0:\nphone:x:{PHONE_USER}:\nserial:x:{SERIAL_USER}:\n".encode()),
        "etc/resolv.conf": cpio.link("/run/phone/resolv.conf"),
    }
    entries |= {f"bin/{applet}": cpio.link("busybox") for applet in APPLETS}
    entries |= {name: cpio.folder() for name in MOUNT_POINTS}
    folders = sorted((packages / "usr/lib").glob("*-linux-gnu"))
    for name, path in elf.libraries(interpreter, folders).items():
        inside = "lib" if name.startswith("ld-linux") else f"lib/{path.parent.name}"
        entries[f"{inside}/{name}"] = cpio.file(path.read_bytes(), executable=True)
    wanted = [*board.phone.modules, *board.phone.modules_on_request]
    for name, content in modules.collect(packages, version, wanted).items():
        entries[name] = cpio.file(content)
    return entries


def phone(board, files, facts, trusted, floor):
    """The entries of the second part: software.collect's files, the scripts, what the scripts need to know of the board and of
    this image (facts: fit.Facts), and the certificates of the keys.ImageKeys whose loads are `trusted`."""
    entries = {
        f"phone/{name}": cpio.file(content, name not in (software.SOFTWARE, software.PROGRAM))
        for name, content in files.items()
    }
    for script in sorted(software.ROOTFS.iterdir()):
        inside = "etc/inittab" if script.name == "inittab" else f"etc/phone/{script.name}"
        entries[inside] = cpio.file(script.read_bytes(), executable=script.name not in ("inittab", "common"))
    facts = {
        "BOARD": board.name,
        "TITLE": board.board.title,
        "MODEL": board.board.model,
        "VERSION": facts.software,
        "LOAD": facts.name,
        "FLOOR": floor,
        "DEVELOPMENT": "yes" if any(key.development for key in trusted) else "",
        "CONSOLE": board.phone.console,
        "PHONE_USER": str(PHONE_USER),
        "PHONE_GROUP": str(PHONE_USER),
        "PROGRAM_USER": str(PROGRAM_USER),
        "IDENTIFIER": f"{board.image.identifier:08x}",
        "INTERFACES": " ".join(board.phone.interfaces),
        "WATCHDOG": board.phone.watchdog,
        "MODULES": " ".join(board.phone.modules),
    }
    for number, key in enumerate(trusted, 1):
        entries[f"phone/image-{number}.der"] = cpio.file(key.der)
    lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in facts.items())
    entries["etc/phone/board.conf"] = cpio.file(lines.encode())
    return entries


def pack(system_entries, phone_entries, cache, name, report):
    """Both parts as one file's bytes. The compressed system is kept in the folder `cache`, one for each `name`."""
    plain = cpio.archive(system_entries)
    kept = cache / f"{name}-{hashlib.sha256(plain).hexdigest()[:16]}.cpio.xz"
    if not kept.is_file():
        report("compressing the root file system")
        for old in cache.glob(f"{name}-*.cpio.xz"):
            old.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
            file.write(compressed(plain))
        os.replace(file.name, kept)
    return kept.read_bytes() + compressed(cpio.archive(phone_entries))


def compressed(data):
    """xz as the kernel's small decoder reads it: no other check than CRC32; padded for the archive that follows."""
    packed = lzma.compress(data, check=lzma.CHECK_CRC32, preset=6)
    return packed + bytes(-len(packed) % 4)
