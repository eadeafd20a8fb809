# SPDX-License-Identifier: MIT
"""The console part of the HAL on CPython: a terminal, pipe or file, written and read without ever blocking."""

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
FAREWELL = 2  # seconds that the end of the program may wait for a console that takes what was written slowly


class Console:
    """Lines on stdin and stdout, or on files given; a writer without a file descriptor is written to as it is."""

    def __init__(self, reader=None, writer=None):
        self._reader = reader if reader is not None else sys.stdin
        self._writer = writer if writer is not None else sys.stdout
        self._input = Input()
        self._from: Unblocked | None = None
        self._to: Unblocked | Plain = Plain(None)  # until something is written
        self._loop: asyncio.AbstractEventLoop | None = None  # the loop that writes what waits
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
            return  # the next write, or the end of the program, writes it
        if loop is not self._loop:
            self._loop = loop
            loop.add_writer(self._to.number, self._push)

    async def read_line(self):
        """The next line without its end; one of more than 200 bytes is dropped. EOFError at the end."""
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
                    await asyncio.sleep(0)  # input without end leaves other tasks their turn
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
    """A writer that has no file descriptor; it takes all at once."""

    number = -1

    def __init__(self, writer):
        self._writer = writer

    def send(self, data):
        """Write it all. OSError where there is nothing to write to."""
        try:
            self._writer.write(data.decode())
            self._writer.flush()
        except (AttributeError, ValueError) as error:
            raise OSError(errno.EBADF, str(error)) from None
        return len(data)


class Unblocked:
    """A file descriptor whose use never blocks: its file opened anew where that may be done, as other programs share the
    one that is open. A regular file never blocks and stays as it is."""

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
        """How many bytes were taken, None where none are now."""
        try:
            return os.write(self.number, data)
        except BlockingIOError:
            return None

    def __del__(self):
        if self._opened:
            os.close(self.number)
