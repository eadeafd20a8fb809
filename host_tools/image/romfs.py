# SPDX-License-Identifier: MIT
"""A read-only file system from which MicroPython runs bytecode without a copy in its heap: ROMFS, as vfs.VfsRom of
MicroPython 1.25 and later mounts it (extmod/vfs_rom.c).

A record is `kind length payload`, both numbers in groups of 7 bits, most significant first, bit 7 set in all but the last.
A directory's and a file's payload begin with `length name`; then follow the entries of the directory, or the file's bytes in
a record of their own. The whole is one record, whose kind is the mark of the format."""

_MARK = b"\xd2\xcd1"
_BYTES, _DIRECTORY, _FILE = 2, 4, 5


def pack(files):
    """The file system of {"folder/name": bytes}, in the order of the names."""
    tree = {}
    for path in sorted(files):
        *folders, name = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = files[path]
    content = _entries(tree)
    return _MARK + _number(len(content)) + content


def _entries(tree):
    return b"".join(
        _record(_DIRECTORY, _text(name) + _entries(content))
        if isinstance(content, dict)
        else _record(_FILE, _text(name) + _record(_BYTES, content))
        for name, content in tree.items()
    )


def _text(name):
    return _number(len(name.encode())) + name.encode()


def _record(kind, payload):
    return _number(kind) + _number(len(payload)) + payload


def _number(value):
    groups = bytearray([value & 0x7F])
    while value := value >> 7:
        groups.insert(0, value & 0x7F | 0x80)
    return bytes(groups)
