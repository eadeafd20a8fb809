# SPDX-License-Identifier: MIT
"""Time under MicroPython. The whole program has one count of milliseconds, because deadlines are readings of it."""

import asyncio
import time

_seen = [time.ticks_ms(), 0]


def monotonic():
    """Milliseconds since this module was loaded. They never go back, whereas ticks_ms wraps around."""
    now = time.ticks_ms()
    _seen[1] += time.ticks_diff(now, _seen[0])
    _seen[0] = now
    return _seen[1]


class Clock:
    """The clock part of the HAL."""

    def monotonic(self):
        """Milliseconds since the program began."""
        return monotonic()

    async def sleep(self, duration):
        """Let other tasks run for `duration` ms."""
        await asyncio.sleep_ms(max(duration, 0))
