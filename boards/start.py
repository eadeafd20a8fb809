# SPDX-License-Identifier: MIT
"""What an image starts: maps the phone's software, one file, into memory and runs its program (boards/phone.py).

MicroPython runs bytecode of such a file where it is mapped (host_tools/image/romfs.py). So it is not in the heap, which keeps
145 KB more for the phone and has nothing large in it but one buffer, and memory that no other program uses is the system's
page cache."""

import os
import sys

import ffi
import uctypes
import vfs

SOFTWARE = "phone.romfs"  # beside this file
PLACE = "/rom"
_READ, _PRIVATE = 1, 2  # PROT_READ, MAP_PRIVATE


def mount(path):
    """Make the modules of this file system those that are imported first. OSError where it cannot be mapped."""
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
