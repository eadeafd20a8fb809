# SPDX-License-Identifier: MIT
"""The archive format of an initramfs ("newc", kernel: Documentation/driver-api/early-userspace/buffer-format.rst).

cpio(1) needs root rights for device nodes and writes owners, times and inode numbers of the builder's file system. This
writer needs no rights, and the same files give the same bytes.
"""

import dataclasses
import stat


@dataclasses.dataclass
class Entry:
    """One file of the archive. `device` is (major, minor) of a node, else None. Owners are numbers."""

    mode: int
    content: bytes = b""
    owner: int = 0
    device: tuple | None = None


def file(content, executable=False):
    """A regular file, readable by all, writable by none."""
    return Entry(stat.S_IFREG | (0o555 if executable else 0o444), content)


def folder(mode=0o755, owner=0):
    """A directory."""
    return Entry(stat.S_IFDIR | mode, owner=owner)


def link(target):
    """A symbolic link."""
    return Entry(stat.S_IFLNK | 0o777, target.encode())


def node(major, minor, mode=0o600):
    """A character device."""
    return Entry(stat.S_IFCHR | mode, device=(major, minor))


def archive(entries):
    """{path without leading slash: Entry} -> the archive's bytes. Missing parent folders are added."""
    complete = dict(entries)
    for path in entries:
        parent = path.rpartition("/")[0]
        while parent:
            complete.setdefault(parent, folder())
            parent = parent.rpartition("/")[0]
    parts = []
    for number, path in enumerate(sorted(complete), 1):
        parts.append(_record(number, path, complete[path]))
    parts.append(_record(0, "TRAILER!!!", Entry(0)))
    data = b"".join(parts)
    return data + bytes(-len(data) % 512)


def _record(number, path, entry):
    name = path.encode() + b"\0"
    major, minor = entry.device or (0, 0)
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    # ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
    fields = (
        number,
        entry.mode,
        entry.owner,
        entry.owner,
        links,
        0,
        len(entry.content),
        0,
        0,
        major,
        minor,
        len(name),
        0,
    )
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.content)


def _padded(data):
    return data + bytes(-len(data) % 4)
