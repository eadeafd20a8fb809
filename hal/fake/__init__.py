# SPDX-License-Identifier: MIT
"""The HAL of tests, on both Pythons: described in `hal/__init__.py`; nothing in it is real but the crypto handed in.

hal = Hal(crypto(), size=262144)
hal.net.serve_udp("192.0.2.1", 69, server)       hal/fake/net.py
hal.flash = FakeFlash(lose_power_at=3)           hal/fake/flash.py
hal.clock.sleep(1000)                            moves the clock and takes no time
"""

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

    def __init__(self, crypto=None, size=262144, files=None):
        self.clock = FakeClock()
        self.net = FakeNet(self.clock)
        self.flash = FakeFlash(size)
        self.files = files
        self.random = FakeRandom()
        self.crypto = crypto
        self.console = FakeConsole(self.clock)
        self.board = FakeBoard()


class FakeClock:
    """A clock that stands until someone sleeps. sleeps: every wait there was, in ms. time: wall time, or None."""

    def __init__(self, now=1000, time=None):
        self.now = now
        self.time = time
        self.sleeps = []

    def monotonic(self):
        """Milliseconds."""
        return self.now

    def wall(self):
        """Seconds since 1970, going on with the clock; None where `time` is."""
        return None if self.time is None else self.time + self.now // 1000

    def sleep(self, duration):
        """Move the clock."""
        self.sleeps.append(duration)
        self.now += duration


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
        self.output = ""

    def type(self, line, delay=0):
        """A line is typed."""
        self._lines.append((self._clock.monotonic() + delay, line))

    def end(self):
        """The input ends after what was typed."""
        self._ended = True

    def write(self, text):
        """Keep it in output."""
        self.output += text

    def read_line(self, timeout):
        """The next line, None after `timeout` ms. EOFError at the end."""
        now = self._clock.monotonic()
        if not self._lines:
            if self._ended or timeout is None:
                raise EOFError
            self._clock.sleep(timeout)
            return None
        time, line = self._lines[0]
        if timeout is not None and time > now + timeout:
            self._clock.sleep(timeout)
            return None
        if time > now:
            self._clock.sleep(time - now)
        self._lines.pop(0)
        return line

    def ready(self):
        """(readable, writable), for the poller."""
        typed = bool(self._lines) and self._lines[0][0] <= self._clock.monotonic()
        return typed or self._ended and not self._lines, True


class FakeBoard:
    """A phone. fed: how often the watchdog was. lit: the LED's state, None before the first led()."""

    def __init__(self, mac="00270DC01C92", model="8861", version="test"):
        self.mac = mac
        self.model = model
        self.version = version
        self.fed = 0
        self.lit = None

    def restart(self):
        """Raises Restarted."""
        raise Restarted()

    def watchdog(self):
        """Count it."""
        self.fed += 1

    def led(self, on):
        """Keep it."""
        self.lit = bool(on)
