# SPDX-License-Identifier: MIT
"""The program that an image starts. It maps the phone's software, which is one file, into memory and runs boards/phone.py.

MicroPython runs the bytecode of such a file in place (host_tools/image/romfs.py). So the heap does not hold it, and has 145 KB
more for the phone; the only large object in it is one buffer. The mapped file is part of the system's page cache, which other
programs can use if they need the memory."""

import os
import sys

import ffi
import uctypes
import vfs

SOFTWARE = "phone.romfs"  # beside this file
PLACE = "/rom"
_READ, _PRIVATE = 1, 2  # PROT_READ, MAP_PRIVATE


def mount(path):
    """Mount this file system, and import its modules before all others. Raises OSError if the file cannot be mapped."""
    libc = ffi.open("libc.so.6")
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        address = libc.func("P", "mmap", "PLiiil")(None, size, _READ, _PRIVATE, file.fileno(), 0)
    if address + 1 in (0, 1 << 32, 1 << 64):  # MAP_FAILED
        raise OSError(os.errno())
    vfs.mount(vfs.VfsRom(uctypes.bytearray_at(address, size)), PLACE, readonly=True)
    sys.path.insert(0, PLACE)


if __name__ == "__main__":
    folder, slash, _ = __file__.rpartition("/")
    mount(folder + slash + SOFTWARE)
    import launcher

    launcher.start()
