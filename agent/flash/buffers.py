# SPDX-License-Identifier: MIT
"""The buffers that files are fetched into: a few of one size, made before memory is fragmented, and used again and again."""


class Pool:
    """Buffers of `size` bytes. take() lends a buffer, give() returns it for the next user."""

    def __init__(self, size):
        self.size = size
        self._free = [bytearray(size)]

    def take(self):
        """A buffer of the pool, or a new buffer where the pool is empty."""
        return self._free.pop() if self._free else bytearray(self.size)

    def give(self, buffer):
        """Take back a buffer that has no user any more."""
        self._free.append(buffer)


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
