# SPDX-License-Identifier: MIT
"""A flash part that loses power at a write of the test's choice, on both Pythons.

Synced writes survive. Each write since the last sync may be lost, and the write during which the power failed may have reached
the medium in part. SD cards and disks with caches behave so.
"""

INPUT_OUTPUT_ERROR = 5  # EIO


class PowerLost(BaseException):
    """The power has failed. It is not an Exception, so that no `except OSError` of the program survives it."""


class FakeFlash:
    """A region of `size` bytes, blank (0xFF) or with `content`.

    lose_power_at: the number of the write during which the power fails; the first write is 1. torn: how much of that write
    reaches the medium: False nothing, True the first half, or a fraction from 0 to 1 (1 means all of it). survivors: which of
    the unsynced writes before it reach the medium: None all, else a bit mask (bit 0 is the oldest) or a function(index) ->
    bool. After the loss every call raises PowerLost; after_power_loss() returns the flash as the next start finds it.
    bad: a list of (start, end); reads that touch such a range fail with EIO.
    """

    def __init__(self, size=131072, content=None, lose_power_at=None, torn=False, survivors=None):
        self.data = bytearray(content) if content is not None else bytearray(b"\xff" * size)
        self.size = len(self.data)
        self.lose_power_at = lose_power_at
        self.torn = torn
        self.survivors = survivors
        self.bad = []
        self.writes = 0
        self.lost = False
        self._undo = []  # (offset, bytes before, bytes written) of unsynced writes, oldest first

    def read_into(self, offset, buffer):
        """Fill `buffer` with the bytes at `offset`."""
        self._check(offset, len(buffer))
        for start, end in self.bad:
            if offset < end and offset + len(buffer) > start:
                raise OSError(INPUT_OUTPUT_ERROR)
        buffer[:] = memoryview(self.data)[offset : offset + len(buffer)]

    def write(self, offset, data):
        """Write `data` at `offset`, unless the power fails now."""
        self._check(offset, len(data))
        self.writes += 1
        if self.writes == self.lose_power_at:
            share = 0.5 if self.torn is True else float(self.torn)
            self._lose(offset, bytes(data)[: int(len(data) * share)])
            raise PowerLost()
        self._undo.append((offset, bytes(self.data[offset : offset + len(data)]), bytes(data)))
        self.data[offset : offset + len(data)] = data

    def sync(self):
        """All writes so far are safe."""
        self._check(0, 0)
        self._undo = []

    def unsynced(self):
        """How many writes a loss of power may undo now."""
        return len(self._undo)

    def after_power_loss(self):
        """A new FakeFlash with the content that survived; it loses no power."""
        if not self.lost:
            self._lose(0, b"")
        return FakeFlash(content=self.data)

    def _lose(self, offset, part):
        self.lost = True
        undo = self._undo
        for before in reversed(undo):
            self.data[before[0] : before[0] + len(before[1])] = before[1]
        for index in range(len(undo)):
            if self._survives(index):
                start, _, data = undo[index]
                self.data[start : start + len(data)] = data
        self.data[offset : offset + len(part)] = part

    def _survives(self, index):
        if self.survivors is None:
            return True
        if callable(self.survivors):
            return self.survivors(index)
        return bool(self.survivors >> index & 1)

    def _check(self, offset, length):
        if self.lost:
            raise PowerLost()
        if offset < 0 or offset + length > self.size:
            raise ValueError("flash has %d bytes, not %d at %d" % (self.size, length, offset))


class FakeRegion:
    """`size` bytes of a FakeFlash from `offset` on, as a flash part of its own. The partitions of one card lose power
    together."""

    def __init__(self, flash, offset, size):
        self.flash = flash
        self.offset = offset
        self.size = size

    def read_into(self, offset, buffer):
        """Fill `buffer` from `offset`."""
        self._check(offset, len(buffer))
        self.flash.read_into(self.offset + offset, buffer)

    def write(self, offset, data):
        """Write, unless the power goes now."""
        self._check(offset, len(data))
        self.flash.write(self.offset + offset, data)

    def sync(self):
        """All writes to the card so far are safe."""
        self.flash.sync()

    def _check(self, offset, length):
        if offset < 0 or offset + length > self.size:
            raise ValueError("region has %d bytes, not %d at %d" % (self.size, length, offset))
