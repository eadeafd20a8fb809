# SPDX-License-Identifier: MIT
"""The keys that a person types, each at once and unchanged: Ctrl-C goes to the board, Ctrl-] ends the session."""

import os
import select
import sys
import termios
import tty

END = b"\x1d"  # Ctrl-]


class Keyboard:
    """As a context manager: keys() -> bytes typed since the last call, b"" if none, None when the person wants to leave.

    Without a terminal no keys are read; the session then ends at its text or its time limit.
    """

    def __enter__(self):
        self._terminal = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        if self._terminal is not None:
            self._before = termios.tcgetattr(self._terminal)
            tty.setraw(self._terminal)
            mode = termios.tcgetattr(self._terminal)
            mode[1] |= termios.OPOST | termios.ONLCR  # what we print is text
            termios.tcsetattr(self._terminal, termios.TCSADRAIN, mode)
        return self

    def __exit__(self, *_):
        if self._terminal is not None:
            termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)

    def __call__(self):
        if self._terminal is None or not select.select([self._terminal], [], [], 0)[0]:
            return b""
        typed = os.read(self._terminal, 256)
        return None if not typed or END in typed else typed
