# SPDX-License-Identifier: MIT
"""The one large buffer of a phone. Files that have to be whole in memory are fetched into it, one after the other.

MicroPython never moves objects in its heap, so it has a piece of 64 KB only while the heap is nearly empty. The launcher
makes the buffer before it imports the rest of the program (boards/phone.py). After that no step of a boot needs a large
piece of memory."""

#: Bytes of the buffer with the default settings: the largest trust list (agent/formats/trustlist.py, SIZE_LIMIT).
SIZE = 65536


class Lender:
    """Lends `buffer` (a bytearray) to one user at a time. size: bytes of the buffer."""

    def __init__(self, buffer):
        self.size = len(buffer)
        self._buffer = buffer
        self._lent = False

    def take(self):
        """Borrow the buffer. Raises RuntimeError if it is lent already. That would be a fault of this program, because the steps
        of a boot run one after the other."""
        if self._lent:
            raise RuntimeError("the buffer for files is in use")
        self._lent = True
        return self._buffer

    def give(self):
        """Return the buffer."""
        self._lent = False


class BufferSink:
    """A sink that puts a transfer into a buffer. The limit of the transfer must not exceed the buffer's size, since bytes
    beyond it raise ValueError."""

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
        """The bytes that arrived so far, a memoryview."""
        return self._view[: self._have]
