# SPDX-License-Identifier: MIT
"""Writes a load to a slot of the card in large pieces, whatever size the blocks of the network have."""

#: Bytes that are written, or read back, at once. SD cards are slow with small pieces.
PIECE = 65536
#: Bytes between two syncs. A single sync at the end would stop the whole phone for seconds.
SYNC = 1 << 20
NO_SPACE = 28  # ENOSPC


class Pieces:
    """Collects the small blocks of a transfer and passes them to `sink` in pieces of PIECE bytes. Calling the cryptographic
    library for each packet would cost more than the digest itself. finish() passes on the rest."""

    def __init__(self, sink):
        self._sink = sink
        self._buffer = bytearray(PIECE)
        self._filled = 0

    def begin(self, size):
        """A file starts, or starts over. Raises what the sink raises."""
        self._filled = 0
        self._sink.begin(size)

    def write(self, block):
        """The next bytes. Raises what the sink raises."""
        end = self._filled + len(block)
        if end > PIECE:
            self.finish()
            if len(block) > PIECE:
                self._sink.write(block)
                return
            end = len(block)
        self._buffer[self._filled : end] = block
        self._filled = end

    def finish(self):
        """Pass on the bytes that are here. Raises what the sink raises."""
        count, self._filled = self._filled, 0
        if count:
            self._sink.write(memoryview(self._buffer)[:count])


class SlotWriter:
    """Writes the body of a signed file (agent.formats.signedfile) to the flash region `slot`. progress(size): called with the
    bytes that are written so far, or None. The attribute `size` is the number of bytes so far."""

    def __init__(self, slot, progress=None):
        self._slot = slot
        self._progress = progress
        self._buffer = bytearray(PIECE)
        self.begin(None)

    def begin(self, size):
        """A body starts, or starts over."""
        self.size = 0
        self._filled = 0
        self._unsynced = 0

    def write(self, block):
        """The next bytes. Raises OSError if the flash fails or the body is longer than the slot (ENOSPC)."""
        if self.size + len(block) > self._slot.size:
            raise OSError(NO_SPACE, "a slot has %d bytes" % self._slot.size)
        done = 0
        while done < len(block):
            count = min(len(block) - done, PIECE - self._filled)
            self._buffer[self._filled : self._filled + count] = block[done : done + count]
            self._filled += count
            self.size += count
            done += count
            if self._filled == PIECE:
                self._flush()

    def finish(self):
        """The body has ended. Writes the rest, and returns when all of it is on the medium. Raises OSError."""
        self._flush()
        self._slot.sync()

    def _flush(self):
        if not self._filled:
            return
        self._slot.write(self.size - self._filled, memoryview(self._buffer)[: self._filled])
        self._unsynced += self._filled
        self._filled = 0
        if self._unsynced >= SYNC:
            self._slot.sync()
            self._unsynced = 0
        if self._progress:
            self._progress(self.size)


def reader(slot):
    """A function read(offset, count) that returns bytes of the flash region `slot`, for agent.formats.fit. It raises OSError."""

    def read(offset, count):
        buffer = bytearray(count)
        slot.read_into(offset, buffer)
        return buffer

    return read
