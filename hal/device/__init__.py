# SPDX-License-Identifier: MIT
"""The HAL of a Linux board under MicroPython. `hal/__init__.py` describes the interface.

    hal = Hal(board=Board("00270DC01C92", "8861"), flash=Flash("/dev/mmcblk0p3"))

Functions that MicroPython lacks come from libc by ffi. ffi checks neither the number nor the kinds of the arguments, and
crashes if they are wrong. So every call of libphonetrust goes through Binding.function, which checks them, and the few calls of
libc in hal/device have literal argument lists.
"""

import os
import time
from array import array

import ffi

from hal.device.clock import Clock
from hal.device.console import Console
from hal.device.libc import EINTR, libc

ENVIRONMENT = "PHONETRUST_LIBRARY"
LIBRARY = "/usr/lib/libphonetrust.so"

FFI_TYPES = {"i": "i", "n": "L", "h": "P", "b": "P", "o": "P", "z": "P", "s": "s", "v": "v"}
READABLE = (bytes, bytearray, memoryview, array)
WRITABLE = (bytearray, memoryview, array)
INT_LIMIT = 1 << 31

EIO = 5
RESTART_STATUS = 75  # the exit status that asks for a new start of the program

_pread = libc.func("l", "pread", "ipLl")
_pwrite = libc.func("l", "pwrite", "iPLl")
_lseek = libc.func("l", "lseek", "ili")
_fsync = libc.func("i", "fsync", "i")
_posix_fadvise = libc.func("i", "posix_fadvise", "illi")
DONTNEED = 4  # POSIX_FADV_DONTNEED


class Hal:
    """The parts of a board's HAL. flash: None if nothing is stored. library: a path, see crypto_binding()."""

    def __init__(self, board=None, flash=None, library=None, console=None, files=None, published=None, loads=None):
        from hal.device.net import Net

        library = crypto_binding(library)
        self.clock = Clock()
        self.net = Net(self.clock, lambda: _tls(library))
        self.flash = flash
        self.files = files
        self.loads = loads
        self.published = published
        self.random = Random()
        self.crypto = _crypto(library)
        self.console = console or Console()
        self.board = board or Board("000000000000", "")


def crypto(path=None):
    """The crypto part by libphonetrust, which crypto_binding() finds. Raises OSError, also if the library has another
    interface."""
    return _crypto(crypto_binding(path))


def _crypto(library):
    from hal.native import NativeCrypto

    return NativeCrypto(library)


def _tls(library):
    from hal.native_tls import Tls

    return Tls(library)


def crypto_binding(path=None):
    """The Binding of libphonetrust at `path`, else at $PHONETRUST_LIBRARY, else in /usr/lib, else in build/ beside this source.

    Raises OSError if the library is missing or cannot be loaded.
    """
    named = path or os.getenv(ENVIRONMENT)
    if named:
        return Binding(named)
    # MicroPython does not tell the kind of machine. A library for another machine cannot be loaded, so both are tried.
    build = __file__.rsplit("/", 3)[0] + "/build/native/%s/libphonetrust.so"
    for candidate in (LIBRARY, build % "aarch64", build % "x86_64"):
        try:
            return Binding(candidate)
        except OSError as error:
            last = error
    raise last


class Binding:
    """The binding (hal/native.py) for the library at `path`. Raises OSError if it cannot be loaded."""

    def __init__(self, path):
        self._library = ffi.open(path)

    def declare(self, functions):
        """Do nothing, because ffi needs no declarations in advance."""

    def function(self, name, result, arguments):
        """A callable for one function, as hal/native.py describes it. Raises OSError if the library has no such function."""
        types = "".join([FFI_TYPES[kind] for kind in arguments])
        raw = self._library.func(FFI_TYPES[result], "phonetrust_" + name, types)
        count = len(arguments)

        def call(*values):
            if len(values) != count:
                raise TypeError("phonetrust_%s takes %d arguments, not %d" % (name, count, len(values)))
            for index in range(count):
                _check(name, arguments[index], values[index])
            return raw(*values)

        if result == "h":
            return lambda *values: call(*values) or None
        return call


def _check(name, kind, value):
    if kind == "b":
        good = isinstance(value, READABLE)
    elif kind == "o":
        good = isinstance(value, WRITABLE)
    elif kind == "z":
        good = value is None
    elif not isinstance(value, int):
        good = False
    elif kind == "i":
        if not -INT_LIMIT <= value < INT_LIMIT:
            raise ValueError("phonetrust_%s: %d does not fit an int of C" % (name, value))
        good = True
    elif kind == "n":
        if not 0 <= value < INT_LIMIT:
            raise ValueError("phonetrust_%s: %d is not a size" % (name, value))
        good = True
    else:
        good = value != 0
    if not good:
        raise TypeError("phonetrust_%s: %s does not fit here" % (name, type(value).__name__))


class Flash:
    """A raw partition, or a file of a fixed size that exists already. start, size: use only `size` bytes from this offset on.
    Raises OSError if it cannot be opened, and ValueError if it is smaller."""

    def __init__(self, path, start=0, size=None):
        self._file = open(path, "r+b")
        self._number = self._file.fileno()
        self._start = start
        whole = _lseek(self._number, 0, 2)
        self.size = whole - start if size is None else size
        if start < 0 or self.size < 0 or start + self.size > whole:
            raise ValueError("%s has %d bytes, not %d from %d on" % (path, whole, self.size, start))

    def read_into(self, offset, buffer):
        """Fill `buffer` with the bytes at `offset`. Raises OSError, and ValueError outside of the region."""
        self._check(offset, len(buffer))
        view = memoryview(buffer)
        offset += self._start
        while len(view):
            count = _pread(self._number, view, len(view), offset)
            if count <= 0 and os.errno() != EINTR:
                raise OSError(os.errno() if count else EIO)
            if count > 0:
                view = view[count:]
                offset += count

    def write(self, offset, data):
        """Write `data` at `offset`. Raises OSError, and ValueError outside of the region."""
        self._check(offset, len(data))
        view = memoryview(data)
        offset += self._start
        while len(view):
            count = _pwrite(self._number, view, len(view), offset)
            if count <= 0 and os.errno() != EINTR:
                raise OSError(os.errno() if count else EIO)
            if count > 0:
                view = view[count:]
                offset += count

    def sync(self):
        """Return when all writes before this are on the medium. Later reads come from the medium, not from the system's cache.
        Raises OSError."""
        if _fsync(self._number):
            raise OSError(os.errno())
        _posix_fadvise(self._number, self._start, self.size, DONTNEED)

    def close(self):
        """Close the file."""
        self._file.close()

    def _check(self, offset, length):
        if offset < 0 or offset + length > self.size:
            raise ValueError("flash has %d bytes, not %d at %d" % (self.size, length, offset))


class Random:
    """The kernel's random bytes."""

    def bytes(self, count):
        """`count` random bytes."""
        return os.urandom(count)


class Board:
    """The phone's MAC address and model, as its settings have them, and its watchdog.

    restart_command: a command for the shell; without it restart() ends the program with RESTART_STATUS. watchdog: the path of
    the watchdog's device, which runs from the first watchdog() on; None if there is none.
    """

    def __init__(self, mac, model, restart_command=None, watchdog=None):
        self.mac = mac
        self.model = model
        self._restart_command = restart_command
        self._watchdog_path = watchdog
        self._watchdog = None

    def restart(self):
        """Restart the board. Does not return."""
        if self._restart_command:
            os.system(self._restart_command)
            # The command only asks init for a restart. Wait for it.
            time.sleep(60)
        raise SystemExit(RESTART_STATUS)

    def watchdog(self):
        """Feed the watchdog. Raises OSError if its device cannot be opened."""
        if self._watchdog_path:
            if self._watchdog is None:
                self._watchdog = open(self._watchdog_path, "wb")
            self._watchdog.write(b"\0")
            self._watchdog.flush()
