# SPDX-License-Identifier: MIT
"""The console part of the HAL on CPython: a terminal, pipe or file. It never blocks."""

import asyncio
import atexit
import errno
import fcntl
import os
import select
import stat
import sys
import time

from hal.host import waiting
from hal.lines import Input, Output

CHUNK = 256
FAREWELL = 2  # seconds that the end of the program may wait for a slow console


class Console:
    """Lines on stdin and stdout, or on the given files. A writer without a file descriptor gets the text by its write()."""

    def __init__(self, reader=None, writer=None):
        self._reader = reader if reader is not None else sys.stdin
        self._writer = writer if writer is not None else sys.stdout
        self._input = Input()
        self._from: Unblocked | None = None
        self._to: Unblocked | Plain = Plain(None)  # replaced by the first write
        self._loop: asyncio.AbstractEventLoop | None = None  # the loop that writes the text that waits
        self._opened = False
        self._output = Output(self._send)

    def write(self, text):
        """Write `text`, at once or when the console takes it."""
        if self._output.put(text):
            return
        if self._loop is None:
            atexit.register(self._finish)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # the next write, or the end of the program, writes the text
        if loop is not self._loop:
            self._loop = loop
            loop.add_writer(self._to.number, self._push)

    async def read_line(self):
        """The next line without its end. A line of more than 200 bytes is dropped. Raises EOFError at the end of the input."""
        while True:
            line = self._input.next()
            if line is not None:
                return line
            try:
                if self._from is None:
                    self._from = Unblocked(self._reader.fileno(), os.O_RDONLY)
                number = self._from.number
                try:
                    self._input.feed(os.read(number, CHUNK))
                    await asyncio.sleep(0)  # lets other tasks run, even if the input never stops
                except BlockingIOError:
                    await waiting.readable(number, None)
            except (AttributeError, OSError, ValueError):  # there is no standard input, or the terminal has gone
                self._input.feed(b"")

    def _send(self, data):
        if not self._opened:
            self._opened = True
            try:
                self._to = Unblocked(self._writer.fileno(), os.O_WRONLY | os.O_APPEND)
            except (AttributeError, OSError, ValueError):
                self._to = Plain(self._writer)
        return self._to.send(data)

    def _push(self):
        if self._loop is not None and self._output.push():
            self._loop.remove_writer(self._to.number)
            self._loop = None
            atexit.unregister(self._finish)

    def _finish(self):
        end = time.monotonic() + FAREWELL
        while not self._output.push() and time.monotonic() < end:
            select.select([], [self._to.number], [], end - time.monotonic())


class Plain:
    """A writer without a file descriptor. It takes everything at once."""

    number = -1

    def __init__(self, writer):
        self._writer = writer

    def send(self, data):
        """Write all of `data`. Returns its length. Raises OSError if the writer is closed or missing."""
        try:
            self._writer.write(data.decode())
            self._writer.flush()
        except (AttributeError, ValueError) as error:
            raise OSError(errno.EBADF, str(error)) from None
        return len(data)


class Unblocked:
    """A file descriptor that never blocks. Other programs share the descriptor that is open, so its file is opened once more if
    possible. A regular file never blocks and is used as it is. number: of the descriptor."""

    def __init__(self, number, flags):
        self.number = number
        self._opened = False
        if stat.S_ISREG(os.fstat(number).st_mode):
            return
        try:
            self.number = os.open(f"/proc/self/fd/{number}", flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            self._opened = True
        except OSError:  # a socket, or a terminal of another user
            before = fcntl.fcntl(number, fcntl.F_GETFL)
            fcntl.fcntl(number, fcntl.F_SETFL, before | os.O_NONBLOCK)
            atexit.register(fcntl.fcntl, number, fcntl.F_SETFL, before)

    def send(self, data):
        """Write bytes. Returns how many were taken, or None if none are taken now. Raises OSError."""
        try:
            return os.write(self.number, data)
        except BlockingIOError:
            return None

    def __del__(self):
        if self._opened:
            os.close(self.number)
