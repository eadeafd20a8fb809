# SPDX-License-Identifier: MIT
"""The console part of the HAL under MicroPython: a serial line, terminal, pipe or file. It never blocks."""

import asyncio
import os

from hal.device import waiting
from hal.device.libc import libc, transferred
from hal.lines import Input, Output

CHUNK = 256
S_IFMT, S_IFREG = 0o170000, 0o100000
O_RDONLY, O_WRONLY, O_NOCTTY, O_APPEND, O_NONBLOCK, O_CLOEXEC = 0, 1, 0o400, 0o2000, 0o4000, 0o2000000
F_GETFL, F_SETFL = 3, 4

_read = libc.func("l", "read", "iPL")
_write = libc.func("l", "write", "iPL")
_open = libc.func("i", "open", "si")
_fcntl = libc.func("i", "fcntl", "iii")


class Console:
    """Lines on two file descriptors, usually standard input and output."""

    def __init__(self, reader=0, writer=1):
        self._reader = reader
        self._writer = writer
        self._opened = {}
        self._buffer = bytearray(CHUNK)
        self._input = Input()
        self._output = Output(self._send)
        self._draining = None

    def write(self, text):
        """Write `text`, at once or when the console takes it."""
        if not self._output.put(text) and self._draining is None:
            self._draining = asyncio.create_task(self._drain())

    async def read_line(self):
        """The next line without its end. A line of more than 200 bytes is dropped. Raises EOFError at the end of the input."""
        while True:
            line = self._input.next()
            if line is not None:
                return line
            try:
                number = self._unblocked(self._reader, O_RDONLY)
                count = transferred(_read(number, self._buffer, CHUNK))
            except OSError:  # there is no standard input, or the terminal has gone
                count = 0
            if count is None:
                await waiting.readable(number, None)
            else:
                self._input.feed(bytes(self._buffer[:count]))
                await asyncio.sleep_ms(0)  # lets other tasks run, even if the input never stops

    def _send(self, data):
        return transferred(_write(self._unblocked(self._writer, O_WRONLY | O_APPEND), data, len(data)))

    async def _drain(self):
        try:
            while not self._output.push():
                await waiting.writable(self._unblocked(self._writer, O_WRONLY), None)
        finally:
            self._draining = None

    def _unblocked(self, number, flags):
        # A file descriptor that never blocks. Other programs share the descriptor that is open, so its file is opened once
        # more if possible. A regular file never blocks and is used as it is.
        if number not in self._opened:
            path = "/proc/self/fd/%d" % number
            found = number
            if os.stat(path)[0] & S_IFMT != S_IFREG:
                found = _open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                if found < 0:  # a socket, or a terminal of another user
                    found = number
                    _fcntl(number, F_SETFL, _fcntl(number, F_GETFL, 0) | O_NONBLOCK)
            self._opened[number] = found
        return self._opened[number]
