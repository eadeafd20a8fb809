# SPDX-License-Identifier: MIT
"""The lines of a console, on both Pythons: lines that wait to be written, and lines that a person types. It does no I/O."""

#: Bytes that may wait for a console that takes nothing.
ROOM = 16384
#: Bytes of a line that a person types. A longer line is dropped.
LONGEST_LINE = 200


class Output:
    """Text on its way to a console. send(bytes) returns how many were taken, None if it would have to wait, or raises OSError.

    A console that takes nothing costs lines, but no time. When ROOM bytes wait, further lines are dropped and counted. When
    half of the room is free again, a line says how many were dropped. After an OSError all text is dropped."""

    def __init__(self, send):
        self._send = send
        self._waiting = b""
        self._lost = 0
        self._skipping = False  # whether the beginning of this line was dropped; then its rest is dropped, too
        self._at_start = True  # whether the last text ended with a line end
        self._gone = False

    def put(self, text):
        """Take text, which is written after the text that waits already. Returns True if nothing waits afterwards."""
        data = text.encode()
        while data and not self._gone:
            line, end, data = data.partition(b"\n")
            self._put(line + end)
        return self.push()

    def push(self):
        """Write the text that waits. Returns True if nothing is left."""
        while True:
            self._hand_over()
            if not self._lost or len(self._waiting) > ROOM // 2:
                return not self._waiting
            self._tell()

    def _put(self, piece):
        ends = piece.endswith(b"\n")
        if self._skipping:
            self._skipping = not ends
            return
        if self._lost or len(self._waiting) + len(piece) > ROOM:
            self.push()
        if self._lost or len(self._waiting) + len(piece) > ROOM:
            self._lost += 1
            self._skipping = not ends
            return
        self._waiting += piece
        self._at_start = ends

    def _tell(self):
        text = "%s[%d lines are missing here: the console did not take them]\n"
        self._waiting += (text % ("" if self._at_start else "\n", self._lost)).encode()
        self._lost = 0
        self._at_start = True

    def _hand_over(self):
        while self._waiting:
            try:
                count = self._send(self._waiting)
            except OSError:  # the console has gone, so the error cannot be shown
                self._gone = True
                self._waiting, self._lost = b"", 0
                return
            if not count:
                return
            self._waiting = self._waiting[count:]


class Input:
    """Makes lines of the bytes that a person types."""

    def __init__(self):
        self._typed = b""
        self._skipping = False
        self._ended = False

    def feed(self, data):
        """Take bytes; b"" means that no more will come."""
        self._typed += data
        self._ended = self._ended or not data

    def next(self):
        """The next line without its end, or None if it is not complete yet. Raises EOFError if no line will come."""
        while True:
            line, end, rest = self._typed.partition(b"\n")
            if not end:
                break
            self._typed = rest
            skipped, self._skipping = self._skipping, False
            if not skipped and len(line) <= LONGEST_LINE:
                return _text(line)
        self._skipping = self._skipping or len(line) > LONGEST_LINE
        if self._skipping:
            line = self._typed = b""
        if not self._ended:
            return None
        if not line:
            raise EOFError
        self._typed = b""
        return _text(line)


def _text(line):
    line = line.rstrip(b"\r")
    try:
        return line.decode()
    except UnicodeError:
        return "".join([chr(byte) if byte < 128 else "?" for byte in line])
