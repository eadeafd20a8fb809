# SPDX-License-Identifier: MIT
"""One session at a console: lines out with the time, keys in, a log, a text that is waited for, reconnection."""

import codecs
import time

RETRY = 0.5  # seconds between tries to reconnect


class Printer:
    """Console bytes to text, each line with the time of day at which it began."""

    def __init__(self, outputs, timestamps=True, clock=time.time):
        self._outputs = outputs
        self._timestamps = timestamps
        self._clock = clock
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._at_start = True

    def __call__(self, data):
        parts = []
        for letter in self._decode(data).replace("\r\n", "\n"):
            if letter in "\r\0":
                continue
            if self._at_start and self._timestamps:
                parts.append(self._now())
            self._at_start = letter == "\n"
            parts.append(letter)
        self._write("".join(parts))

    def note(self, text):
        """Print a line that is not the console's."""
        begin = "" if self._at_start else "\n"
        self._write(f"{begin}-- {text}\n")
        self._at_start = True

    def _now(self):
        now = self._clock()
        return time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now * 1000) % 1000:03d} "

    def _write(self, text):
        for output in self._outputs:
            output.write(text)
            output.flush()


class Watcher:
    """Looks for a text in a stream that comes in pieces."""

    def __init__(self, text):
        self._wanted = text.encode()
        self._tail = b""

    def __call__(self, data):
        self._tail += data
        found = self._wanted in self._tail
        self._tail = self._tail[-len(self._wanted) :]
        return found


def run(open_port, printer, keys, until=None, timeout=None, send=()):
    """Show a console until the text `until` passes (True), `timeout` seconds are over (False) or keys() ends it (None).

    `open_port()` -> port, is called again after the port was lost. `keys()` -> bytes typed, None to end. `send`: lines
    that are sent once after connecting.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    watcher = Watcher(until) if until else None
    lost = None
    while True:
        port = None
        try:
            port = open_port()
            if lost:
                printer.note("connected again")
            lost = None
            for line in send:
                port.write(line.encode() + b"\n")
            send = ()
            outcome = _connected(port, printer, keys, watcher, deadline)
            if outcome is not _LOST:
                return outcome
        except OSError as error:
            if lost is None:
                lost = error.strerror or str(error)
                printer.note(f"{lost}; waiting for it")
        finally:
            if port is not None:
                port.close()
        if deadline is not None and time.monotonic() >= deadline:
            return False
        if keys() is None:
            return None
        time.sleep(RETRY)


_LOST = object()


def _connected(port, printer, keys, watcher, deadline):
    while True:
        data = port.read()
        if data:
            printer(data)
            if watcher and watcher(data):
                return True
        if deadline is not None and time.monotonic() >= deadline:
            return False
        typed = keys()
        if typed is None:
            return None
        if typed:
            port.write(typed)
