# SPDX-License-Identifier: MIT
"""The HAL of a Linux board under MicroPython: described in `hal/__init__.py`.

    hal = Hal(board=Board("00270DC01C92", "8861"), flash=Flash("/dev/mmcblk0p3"))

What MicroPython lacks comes from libc by ffi. ffi checks nothing: neither how many arguments a function gets nor what
they are, and crashes if they are wrong. So every call of libphonetrust goes through Binding.function, which checks, and
the few calls of libc stand here and in hal/device/net.py with literal argument lists.
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
    """The parts of a board's HAL. `flash` may be None where nothing is stored. library: a path, see crypto_binding()."""

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
    """libphonetrust, found as by crypto_binding(). OSError also where it has another interface."""
    return _crypto(crypto_binding(path))


def _crypto(library):
    from hal.native import NativeCrypto

    return NativeCrypto(library)


def _tls(library):
    from hal.native_tls import Tls

    return Tls(library)


def crypto_binding(path=None):
    """The Binding of libphonetrust at `path`, else $PHONETRUST_LIBRARY, else /usr/lib, else built beside this source.

    OSError where it is not there or cannot be loaded.
    """
    named = path or os.getenv(ENVIRONMENT)
    if named:
        return Binding(named)
    # MicroPython does not tell what machine this is; a library for another one cannot be loaded.
    build = __file__.rsplit("/", 3)[0] + "/build/native/%s/libphonetrust.so"
    for candidate in (LIBRARY, build % "aarch64", build % "x86_64"):
        try:
            return Binding(candidate)
        except OSError as error:
            last = error
    raise last


class Binding:
    """How hal/native.py calls the library at `path`. OSError where it cannot be loaded."""

    def __init__(self, path):
        self._library = ffi.open(path)

    def declare(self, functions):
        """ffi needs no declarations ahead."""

    def function(self, name, result, arguments):
        """The callable for one function; OSError where the library has none of that name."""
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
            raise ValueError("phonetrust_%s: %d is no int of C" % (name, value))
        good = True
    elif kind == "n":
        if not 0 <= value < INT_LIMIT:
            raise ValueError("phonetrust_%s: %d is no size" % (name, value))
        good = True
    else:
        good = value != 0
    if not good:
        raise TypeError("phonetrust_%s: %s is not fit here" % (name, type(value).__name__))


class Flash:
    """A raw partition, or a file of a fixed size that is there already; or `size` bytes of it from `start` on. OSError where
    it cannot be opened, ValueError where it is smaller."""

    def __init__(self, path, start=0, size=None):
        self._file = open(path, "r+b")
        self._number = self._file.fileno()
        self._start = start
        whole = _lseek(self._number, 0, 2)
        self.size = whole - start if size is None else size
        if start < 0 or self.size < 0 or start + self.size > whole:
            raise ValueError("%s has %d bytes, not %d from %d on" % (path, whole, self.size, start))

    def read_into(self, offset, buffer):
        """Fill `buffer` from `offset`."""
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
        """Write `data` at `offset`."""
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
        """All writes before this are on the medium, and what is read then comes from there."""
        if _fsync(self._number):
            raise OSError(os.errno())
        _posix_fadvise(self._number, self._start, self.size, DONTNEED)

    def close(self):
        """Close it."""
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
    """What the settings say this phone is, and its watchdog.

    restart_command: for the shell; without it the program ends with RESTART_STATUS. watchdog: path of its device; it
    runs from the first watchdog() on. None: there is none.
    """

    def __init__(self, mac, model, restart_command=None, watchdog=None):
        self.mac = mac
        self.model = model
        self._restart_command = restart_command
        self._watchdog_path = watchdog
        self._watchdog = None

    def restart(self):
        """Start the board again; does not return."""
        if self._restart_command:
            os.system(self._restart_command)
            # The command only asks init; nothing more is done until it comes.
            time.sleep(60)
        raise SystemExit(RESTART_STATUS)

    def watchdog(self):
        """Feed the watchdog. OSError where it cannot be opened."""
        if self._watchdog_path:
            if self._watchdog is None:
                self._watchdog = open(self._watchdog_path, "wb")
            self._watchdog.write(b"\0")
            self._watchdog.flush()
