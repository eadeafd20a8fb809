# SPDX-License-Identifier: MIT
"""Everything that a console says, in one file, from the first byte to the last, whether a test reads it or not."""

import os
import pathlib
import time
import typing

import pexpect

from host_tools.image import board as boards

# Where records go; a test that starts a test run of its own sets it elsewhere.
FOLDER = pathlib.Path(os.environ.get("PHONETRUST_HIL_FOLDER") or boards.TOP / "build/hil")


class Recorded:
    """A base class put before a console driver of labgrid: all that the driver reads goes to a file, the rest at power-off.

    labgrid reads a console only when a test expects something of it; so drain() must be called before power goes.
    """

    target: typing.Any  # of labgrid, as is what follows
    _expect: typing.Any
    _record = None

    @property
    def record_file(self):
        """The file of this target's console."""
        return FOLDER / f"console-{self.target.name}.log"

    def _read(self, *arguments, **options):
        data = super()._read(*arguments, **options)  # pyright: ignore[reportAttributeAccessIssue]
        self._keep(data)
        return data

    def _keep(self, data):
        if self._record is None:
            FOLDER.mkdir(parents=True, exist_ok=True)
            self._record = open(self.record_file, "ab", buffering=0)
        self._record.write(data)

    def note(self, text):
        """Add a line that is not the console's."""
        self._keep(f"\n--- {time.strftime('%H:%M:%S')} {text}\n".encode())

    def drain(self, silence=0.2, limit=5.0):
        """Read until `silence` seconds pass without a byte, at most `limit` seconds."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            try:
                self._read(size=1, timeout=silence)
            except (pexpect.TIMEOUT, pexpect.EOF, OSError):
                return

    def forget(self):
        """Drain, and forget what was read: the next power-on begins anew."""
        self.drain()
        self._expect.buffer = b""
