# SPDX-License-Identifier: MIT
"""The buffers that files are fetched into: a few of one size, made before memory is in pieces, used again and again."""


class Pool:
    """Buffers of `size` bytes. take() and give() one; what is not used stays for the next."""

    def __init__(self, size):
        self.size = size
        self._free = [bytearray(size)]

    def unfit(self, size):
        """Whether something of `size` bytes that is kept should rather have memory of its own: it fills no half of a
        buffer, or is larger than one."""
        return 2 * size < self.size or size > self.size

    def take(self):
        """A buffer of the pool; a new one where none is free."""
        return self._free.pop() if self._free else bytearray(self.size)

    def give(self, buffer):
        """Take a buffer back, whose contents nobody uses any more."""
        self._free.append(buffer)


class BufferSink:
    """A sink for a transfer into a buffer. data: what arrived so far, a memoryview.

    The fetcher is given a limit that is not over the buffer's size; bytes beyond it raise ValueError."""

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
        """What arrived so far."""
        return self._view[: self._have]
