# SPDX-License-Identifier: MIT
"""The HAL of tests, on both Pythons. `hal/__init__.py` describes the interface. Only its crypto, which a test gives it, is real.

hal = Hal(crypto(), size=262144)
hal.net.serve_udp("192.0.2.1", 69, server)       hal/fake/net.py
hal.flash = FakeFlash(lose_power_at=3)           hal/fake/flash.py

Its awaitables finish at once, on a clock that moves only when something waits. So run() in tests/helpers/agent/both.py runs a
coroutine to its end without a loop. Only a console or a client without input really waits.
"""

import asyncio

from hal.fake.flash import FakeFlash, PowerLost
from hal.fake.net import FakeNet

__all__ = [
    "FakeBoard",
    "FakeClock",
    "FakeConsole",
    "FakeFlash",
    "FakeNet",
    "FakeRandom",
    "Hal",
    "PowerLost",
    "Restarted",
]


class Restarted(BaseException):
    """board.restart() was called. It is not an Exception, so that no `except Exception` catches it and goes on."""


class Hal:
    """All parts; a test may replace each of them. crypto: a real crypto part. size: bytes of the flash."""

    def __init__(self, crypto=None, size=262144, files=None, published=None, loads=None):
        self.clock = FakeClock()
        self.net = FakeNet(self.clock)
        self.flash = FakeFlash(size)
        self.files = files
        self.loads = loads
        self.published = published
        self.random = FakeRandom()
        self.crypto = crypto
        self.console = FakeConsole(self.clock)
        self.board = FakeBoard()


class FakeClock:
    """A clock that moves only when something waits. sleeps: the duration (ms) of every sleep() so far. yields: whether a sleep
    lets other tasks of the loop run, for tests of whole phones, in which a task sleeps again and again."""

    def __init__(self, now=1000):
        self.now = now
        self.sleeps = []
        self.yields = False

    def monotonic(self):
        """The time of this clock, in ms."""
        return self.now

    def move_to(self, time):
        """For the parts of the fake HAL: a wait ends at `time` (ms). The clock does not go back."""
        if time > self.now:
            self.now = time

    async def sleep(self, duration):
        """Move the clock by `duration` ms."""
        self.sleeps.append(duration)
        self.now += max(duration, 0)
        if self.yields:
            await asyncio.sleep(0)


class FakeRandom:
    """Bytes that are the same in each run, but differ from call to call."""

    def __init__(self, seed=1):
        self._state = seed

    def bytes(self, count):
        """`count` bytes of a linear congruential generator (Knuth's MMIX numbers)."""
        found = bytearray(count)
        for index in range(count):
            self._state = (self._state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
            found[index] = self._state >> 56
        return bytes(found)


class FakeConsole:
    """A console whose input a test gives. lines: the lines that are typed at the start. output: everything that was written."""

    def __init__(self, clock, lines=()):
        self._clock = clock
        self._lines = [(0, line) for line in lines]
        self._ended = False
        self._typed = asyncio.Event()
        self.output = ""

    def type(self, line, delay=0):
        """Type a line `delay` ms from now."""
        self._lines.append((self._clock.monotonic() + delay, line))
        self._typed.set()

    def end(self):
        """End the input after the lines that were typed."""
        self._ended = True
        self._typed.set()

    def write(self, text):
        """Add `text` to output."""
        self.output += text

    async def read_line(self):
        """The next line. Waits until a line is typed. Raises EOFError at the end."""
        while not self._lines:
            if self._ended:
                raise EOFError
            self._typed.clear()
            await self._typed.wait()
        time, line = self._lines.pop(0)
        self._clock.move_to(time)
        return line


class FakeBoard:
    """The board part. fed: how often the watchdog was fed."""

    def __init__(self, mac="00270DC01C92", model="8861"):
        self.mac = mac
        self.model = model
        self.fed = 0

    def restart(self):
        """Raises Restarted."""
        raise Restarted()

    def watchdog(self):
        """Count the call in `fed`."""
        self.fed += 1
