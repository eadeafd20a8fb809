# SPDX-License-Identifier: MIT
"""The HAL on a PC (CPython). `hal/__init__.py` describes the interface.

    hal = Hal(board=Board("00270DC01C92", "8861"), flash=Flash("state/flash", 1 << 20))

Heavy modules (cffi, cryptography, ssl) are imported when they are needed for the first time.
"""

import asyncio
import functools
import os
import time

from hal.host.console import Console

__all__ = ["Board", "Clock", "Console", "Flash", "Hal", "Random", "crypto", "tls"]

CHOICE = "PHONETRUST_CRYPTO"
RESTART_STATUS = 75  # the exit status that asks for a new start of the program


class Hal:
    """The parts of a PC's HAL. flash: None if nothing is stored. crypto: None to make it at its first use."""

    def __init__(self, board=None, flash=None, crypto=None, console=None, files=None, published=None, loads=None):
        from hal.host.net import Net

        self.clock = Clock()
        self.net = Net(self.clock, tls)
        self.flash = flash
        self.files = files
        self.loads = loads
        self.published = published
        self.random = Random()
        self.console = console or Console()
        self.board = board or Board("000000000000", "")
        self._crypto = crypto

    @property
    def crypto(self):
        """The crypto part."""
        if self._crypto is None:
            self._crypto = crypto()
        return self._crypto


def crypto(choice=None):
    """The crypto part: libphonetrust if it is built, else the package `cryptography`. Its .name tells which.

    choice, or else $PHONETRUST_CRYPTO: "native" or "cryptography" forces one of them. Raises OSError for "native" if the
    library cannot be loaded, and ValueError for another choice.
    """
    return _choose(choice, _native_crypto, _other_crypto)


def tls(choice=None):
    """The TLS engine: libphonetrust if it is built, else CPython's ssl. Its .name tells which. choice and errors: as crypto()."""
    return _choose(choice, _native_tls, _other_tls)


def _choose(choice, native, other):
    choice = choice or os.environ.get(CHOICE) or "either"
    if choice not in ("native", "cryptography", "either"):
        raise ValueError(f"{CHOICE} is native or cryptography, not {choice!r}")
    if choice != "cryptography":
        from hal.host.library import library_path

        try:
            return native(library_path())
        except OSError:
            if choice == "native":
                raise
    return other()


# The process has one of each. They keep no state, and cffi is slow in reading the declarations.


@functools.cache
def _binding(path):
    from hal.host.library import Binding

    return Binding(path)


@functools.cache
def _native_crypto(path):
    from hal.native import NativeCrypto

    return NativeCrypto(_binding(path))


@functools.cache
def _native_tls(path):
    from hal.native_tls import Tls

    return Tls(_binding(path))


def _other_crypto():
    from hal.host.with_cryptography import HostCrypto

    return HostCrypto()


def _other_tls():
    from hal.host.with_ssl import Tls

    return Tls()


class Flash:
    """A file of a fixed size (bytes) in the place of a raw partition. A missing file is made, and is blank.

    Raises OSError if it cannot be opened. Also if it has another size (EINVAL), because a store would not find its second slot.
    """

    def __init__(self, path, size):
        self.size = size
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            self._file = _make_blank(path, size)
        found = os.lseek(self._file, 0, os.SEEK_END)
        if found != size:
            self.close()
            raise OSError(22, f"the flash file has {found} bytes, not {size}", str(path))

    def read_into(self, offset, buffer):
        """Fill `buffer` with the bytes at `offset`. Raises OSError, and ValueError outside of the file."""
        self._check(offset, len(buffer))
        if os.preadv(self._file, [buffer], offset) != len(buffer):
            raise OSError(5, "the flash file has become shorter")

    def write(self, offset, data):
        """Write `data` at `offset`. Raises OSError, and ValueError outside of the file."""
        self._check(offset, len(data))
        view = memoryview(data)
        while len(view):
            count = os.pwrite(self._file, view, offset)
            view = view[count:]
            offset += count

    def sync(self):
        """Return when all writes before this are on the disk. Raises OSError."""
        os.fsync(self._file)

    def close(self):
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _check(self, offset, length):
        if offset < 0 or offset + length > self.size:
            raise ValueError(f"flash has {self.size} bytes, not {length} at {offset}")


def _make_blank(path, size):
    # The file gets its name at the end, because a file of half its size would be refused from then on.
    part = f"{path}.new"
    file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    os.ftruncate(file, size)
    os.fsync(file)
    os.rename(part, path)
    return file


class Clock:
    """The clock part of the HAL. asyncio's loop counts the same seconds."""

    def monotonic(self):
        """Milliseconds since some start."""
        return time.monotonic_ns() // 1000000

    async def sleep(self, duration):
        """Let other tasks run for `duration` ms."""
        await asyncio.sleep(max(duration, 0) / 1000)


class Random:
    """The system's random bytes."""

    def bytes(self, count):
        """`count` random bytes."""
        return os.urandom(count)


class Board:
    """The phone's MAC address and model, as its settings have them. restart: a function that restarts the phone in another way
    than by ending the program, or None."""

    def __init__(self, mac, model, restart=None):
        self.mac = mac
        self.model = model
        self._restart = restart

    def restart(self):
        """Restart the phone. Does not return; raises SystemExit with RESTART_STATUS if no other way was given."""
        if self._restart is not None:
            self._restart()
        raise SystemExit(RESTART_STATUS)

    def watchdog(self):
        """Do nothing, because the PC's watchdog is not the phone's."""
