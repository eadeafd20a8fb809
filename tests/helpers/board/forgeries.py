# SPDX-License-Identifier: MIT
"""Boot images that U-Boot must not start, made of a signed one by somebody who has everything but the maker's key.

Their kernels only loop: U-Boot says "Starting kernel" where it believes an image, and that is all. fdtput changes an image in
place, so that what was signed keeps its bytes and its order, and only the change itself can be refused.
"""

import gzip
import hashlib
import pathlib
import struct

from host_tools.image import fit, keys, programs

# A kernel image of arm64: "b .", where it wants to be, its size, its magic number (Linux: arch/arm64/booting.rst).
LOOP = struct.pack("<IIQQQ24s4sI", 0x14000000, 0, 0, 65536, 0, b"", b"ARM\x64", 0)
CONF, KERNEL = "/configurations/conf", "/images/kernel"


class Forger:
    """tools: folder of U-Boot's programs. facts: fit.Facts of a boot image of the board. key: keys.ImageKey of its maker.
    folder: for its files. good: an image that the maker signed, bytes. evil: a kernel that nobody signed, as in an image."""

    def __init__(self, tools, facts, key, folder):
        self._tools, self._facts, self._folder = tools, facts, pathlib.Path(folder)
        self._stranger = keys.new(self._folder / "stranger", "a stranger")
        self.good = self._image(key)
        self.evil = _compressed(LOOP + b"evil")
        self._hint = key.hint

    def forgeries(self):
        """name -> bytes."""
        swapped = self._copy_of_conf()
        digest = ["-t", "bx", f"{KERNEL}/hash-1", "value", *_bytes(hashlib.sha256(self.evil).digest())]
        nodes = ("/", "/configurations", CONF)
        position = (len(self.good) + 4096) & ~3
        outside = ["-t", "u", KERNEL, "data-position", str(position)]
        size = ["-t", "u", KERNEL, "data-size", str(len(self.evil))]
        external = self._changed(["-d", KERNEL, "data"], outside, size)
        return {
            "signed with another key": self._image(self._stranger),
            "signed with another key that has the maker's name": self._image(_Renamed(self._stranger, self._hint)),
            "unsigned": self._changed(["-r", f"{CONF}/signature"]),
            "another kernel": self._changed(self._data(KERNEL)),
            "another kernel, its digest put right": self._changed(self._data(KERNEL), digest),
            "the same, and the list of signed nodes without it": self._changed(
                self._data(KERNEL), digest, ["-t", "s", f"{CONF}/signature", "hashed-nodes", *nodes]
            ),
            "another configuration is the default, unsigned": self._changed(*self._evil("evil"), *self._conf("evil")),
            "another configuration with the signature of the first": self._changed(*self._evil("evil"), *swapped),
            "the configuration names another kernel": self._changed(
                *self._evil("evil"), ["-t", "s", CONF, "kernel", "evil"]
            ),
            "another kernel of the same name before it": self._changed(*self._evil("kernex")).replace(
                b"kernex\0", b"kernel\0"
            ),
            "another kernel before it whose name goes on with an at sign": self._changed(*self._evil("kernel@1")),
            "another kernel behind the tree": _sized(external.ljust(position, b"\0") + self.evil),
            "no boot image but the bare kernel": LOOP.ljust(4096, b"\0"),
            "a size of 4 GiB": _sized(self.good, 0xFFFFFFFF),
            "a size of 0": _sized(self.good, 0),
            "cut short": _sized(self.good[:-512]),
        }

    def _image(self, key):
        return fit.make(self._tools, self._facts, _compressed(LOOP), b"no root file system", key)

    def _changed(self, *commands):
        """The good image after these calls of fdtput: options, then what follows the file's name."""
        path = self._folder / "image.fit"
        path.write_bytes(self.good)
        for command in commands:
            count = 2 if command[0] == "-t" else 1
            programs.run("fdtput", *command[:count], path, *command[count:])
        return path.read_bytes()

    def _data(self, node):
        return ["-t", "bx", node, "data", *_bytes(self.evil)]

    def _evil(self, name):
        """A kernel that nobody signed, in a node that is found before others."""
        node = f"/images/{name}"
        texts = {"type": "kernel", "arch": "arm64", "os": "linux", "compression": "gzip"}
        return [
            ["-c", node],
            self._data(node),
            *(["-t", "s", node, key, value] for key, value in texts.items()),
            *(["-t", "x", node, key, f"{self._facts.address:x}"] for key in ("load", "entry")),
            ["-c", f"{node}/hash-1"],
            ["-t", "s", f"{node}/hash-1", "algo", "sha256"],
            ["-t", "bx", f"{node}/hash-1", "value", *_bytes(hashlib.sha256(self.evil).digest())],
        ]

    def _conf(self, kernel):
        return [
            ["-c", "/configurations/evil"],
            ["-t", "s", "/configurations/evil", "kernel", kernel],
            ["-t", "s", "/configurations/evil", "ramdisk", "ramdisk"],
            ["-t", "s", "/configurations", "default", "evil"],
        ]

    def _copy_of_conf(self):
        """A configuration of the evil kernel, with every property of the signature that the good one has."""
        found = fit.parse(self.good)
        commands, start = self._conf("evil"), f"{CONF}/signature/"
        commands.append(["-c", "/configurations/evil/signature"])
        for path, (offset, length) in found.properties.items():
            if path.startswith(start):
                value = _bytes(self.good[offset : offset + length])
                commands.append(["-t", "bx", "/configurations/evil/signature", path[len(start) :], *value])
        nodes = ("/", "/configurations/evil", KERNEL, f"{KERNEL}/hash-1", "/images/ramdisk", "/images/ramdisk/hash-1")
        return [*commands, ["-t", "s", "/configurations/evil/signature", "hashed-nodes", *nodes]]


class _Renamed:
    """A key under the name of another one: `hint` is what an image says about who signed it."""

    def __init__(self, key, hint):
        self.bits, self.folder, self.hint = key.bits, key.folder, hint


def _compressed(kernel):
    return gzip.compress(kernel.ljust(4096, b"\0"), mtime=0)


def _sized(image, size=None):
    """The image saying that it has `size` bytes, else as many as it has."""
    return image[:4] + struct.pack(">I", len(image) if size is None else size) + image[8:]


def _bytes(data):
    return [f"{byte:x}" for byte in data]
