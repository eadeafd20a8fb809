# SPDX-License-Identifier: MIT
"""Time under MicroPython: one count of milliseconds for the whole program, as deadlines are readings of it."""

import asyncio
import time

_seen = [time.ticks_ms(), 0]


def monotonic():
    """Milliseconds since this module was loaded, never back; ticks_ms alone would go round."""
    now = time.ticks_ms()
    _seen[1] += time.ticks_diff(now, _seen[0])
    _seen[0] = now
    return _seen[1]


class Clock:
    """Time."""

    def monotonic(self):
        """Milliseconds since the program began."""
        return monotonic()

    async def sleep(self, duration):
        """Let other tasks run for `duration` ms."""
        await asyncio.sleep_ms(max(duration, 0))
