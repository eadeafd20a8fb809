# SPDX-License-Identifier: MIT
"""The HAL of tests, on both Pythons: described in `hal/__init__.py`; nothing in it is real but the crypto handed in.

hal = Hal(crypto(), size=262144)
hal.net.serve_udp("192.0.2.1", 69, server)       hal/fake/net.py
hal.flash = FakeFlash(lose_power_at=3)           hal/fake/flash.py

Its awaitables finish at once on a clock that stands until something waits: run() of tests/helpers/agent/both.py plays a
coroutine to its end without any loop. Only a console or a client that has said nothing yet really waits.
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
    """board.restart() was called. No Exception, as nothing may catch it and go on."""


class Hal:
    """All parts, each of which a test may replace. crypto: a real one. size: of the flash."""

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
    """A clock that stands until something waits. sleeps: every sleep() there was, in ms. yields: whether a sleep lets the
    other tasks of a loop go on; for tests of whole phones, where a task sleeps without end."""

    def __init__(self, now=1000):
        self.now = now
        self.sleeps = []
        self.yields = False

    def monotonic(self):
        """Milliseconds."""
        return self.now

    def move_to(self, time):
        """For the fake's parts: a wait ends at `time` (ms), unless that is over already."""
        if time > self.now:
            self.now = time

    async def sleep(self, duration):
        """Move the clock."""
        self.sleeps.append(duration)
        self.now += max(duration, 0)
        if self.yields:
            await asyncio.sleep(0)


class FakeRandom:
    """Bytes that are the same in each run, and never the same twice in one."""

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
    """A console whose lines a test has written down. output: all that was shown.

    type(line, delay): a line that is typed `delay` ms from now. end(): no more comes.
    """

    def __init__(self, clock, lines=()):
        self._clock = clock
        self._lines = [(0, line) for line in lines]
        self._ended = False
        self._typed = asyncio.Event()
        self.output = ""

    def type(self, line, delay=0):
        """A line is typed."""
        self._lines.append((self._clock.monotonic() + delay, line))
        self._typed.set()

    def end(self):
        """The input ends after what was typed."""
        self._ended = True
        self._typed.set()

    def write(self, text):
        """Keep it in output."""
        self.output += text

    async def read_line(self):
        """The next line; waits for it where none is written down. EOFError at the end."""
        while not self._lines:
            if self._ended:
                raise EOFError
            self._typed.clear()
            await self._typed.wait()
        time, line = self._lines.pop(0)
        self._clock.move_to(time)
        return line


class FakeBoard:
    """A phone. fed: how often the watchdog was."""

    def __init__(self, mac="00270DC01C92", model="8861"):
        self.mac = mac
        self.model = model
        self.fed = 0

    def restart(self):
        """Raises Restarted."""
        raise Restarted()

    def watchdog(self):
        """Count it."""
        self.fed += 1
