# SPDX-License-Identifier: MIT
"""The one large buffer of a phone: each file that has to be whole in memory is fetched into it, one after the other.

MicroPython never moves what is in its heap, so a piece of 64 KB is only to be had while the heap is nearly empty. A launcher
makes the buffer before it imports the rest of the program (boards/phone.py); after that, nothing that a boot does needs a
large piece of memory."""

#: Bytes of the buffer by the default settings: the largest trust list (agent/formats/trustlist.py, SIZE_LIMIT).
SIZE = 65536


class Lender:
    """Lends `buffer` (a bytearray) to one user at a time. size: its bytes."""

    def __init__(self, buffer):
        self.size = len(buffer)
        self._buffer = buffer
        self._lent = False

    def take(self):
        """The buffer. RuntimeError where somebody has it: the steps of a boot follow each other, so that is a fault of ours."""
        if self._lent:
            raise RuntimeError("the buffer for files is in use")
        self._lent = True
        return self._buffer

    def give(self):
        """Nobody uses the buffer any more."""
        self._lent = False


class BufferSink:
    """A sink for a transfer into a buffer. data: what arrived so far, a memoryview.

    The fetcher's limit is at most the buffer's size; bytes beyond it raise ValueError."""

    def __init__(self, buffer):
        self._view = memoryview(buffer)
        self._have = 0

    def begin(self, size):
        """The file starts, or starts over."""
        self._have = 0

    def write(self, block):
        """The next bytes."""
        end = self._have + len(block)
        self._view[self._have : end] = block
        self._have = end

    @property
    def data(self):
        """The bytes that arrived so far."""
        return self._view[: self._have]
