# SPDX-License-Identifier: MIT
"""A program for MicroPython: fetches files by TFTP with the board's HAL and prints a JSON line about each.

It reads its order from stdin, because an argument of more than 255 bytes would end MicroPython before it starts:
{"servers": [["127.0.0.1", 69]], "names": ["file"], "limit": 1000, "settings": {"window": 1}}
"""

import asyncio
import hashlib
import json
import sys
from binascii import hexlify

from agent.fetch.errors import FetchError
from agent.fetch.fetcher import Fetcher
from agent.fetch.tftp.client import Client
from hal.device import Clock, Random
from hal.device.net import Net


class Digest:
    """Keeps only the SHA-256, so that the heap shows what the client needs."""

    def begin(self, size):
        self.sha256 = hashlib.sha256()

    def write(self, block):
        self.sha256.update(block)


class Watched:
    """The TFTP client, which keeps its last Transfer."""

    def __init__(self, client):
        self._client = client

    async def fetch(self, *args):
        self.transfer = await self._client.fetch(*args)


async def main(order):
    """Fetch the files of the order."""
    clock = Clock()
    client = Client(Net(clock, None), clock, Random(), **order["settings"])
    tftp = Watched(client)
    fetcher = Fetcher(tftp, None, [tuple(server) for server in order["servers"]], clock)
    for name in order["names"]:
        sink = Digest()
        start = clock.monotonic()
        fetcher.begin(start + 100000)
        try:
            fetched = await fetcher.fetch(name, sink, order["limit"])
        except FetchError as error:
            print(json.dumps({"error": type(error).__name__, "text": str(error)}))
            continue
        print(
            json.dumps(
                {
                    "server": fetched.server,
                    "size": tftp.transfer.size,
                    "options": tftp.transfer.options,
                    "sha256": hexlify(sink.sha256.digest()).decode(),
                    "milliseconds": clock.monotonic() - start,
                    "failures": [str(failure) for failure in fetched.failures],
                }
            )
        )
    client.close()


asyncio.run(main(json.loads(sys.stdin.read())))
