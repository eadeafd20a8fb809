# SPDX-License-Identifier: MIT
"""A file by TFTP in the phone's Python: tftp_fetch.py PORT NAME SIZE TIMES prints the us of each fetch, a line each.

The memory is there before, as the phone's buffer is."""

import asyncio
import sys
import time

from agent.fetch.tftp.client import Client
from hal import device


class Memory:
    """A sink of memory that is there already."""

    def __init__(self, size):
        self._data = memoryview(bytearray(size))
        self.size = 0

    def begin(self, size):
        """The file starts."""
        self.size = 0

    def write(self, block):
        """The next bytes."""
        self._data[self.size : self.size + len(block)] = block
        self.size += len(block)


async def measure(port, name, size, times):
    """Fetch it as often as asked for."""
    hal = device.Hal()
    client = Client(hal.net, hal.clock, hal.random)
    sink = Memory(size)
    for _ in range(times):
        began = time.ticks_us()
        await client.fetch(("127.0.0.1", port), name, sink, size, hal.clock.monotonic() + 60000)
        print(time.ticks_diff(time.ticks_us(), began))
        if sink.size != size:
            raise SystemExit("the file did not arrive whole")


asyncio.run(measure(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
