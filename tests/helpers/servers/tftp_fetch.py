# SPDX-License-Identifier: MIT
"""A program for MicroPython: fetches files with the board's HAL and prints a JSON line about each.

Reads its order from stdin, as an argument of more than 255 bytes would end MicroPython before it starts:
{"servers": [["127.0.0.1", 69]], "names": ["file"], "limit": 1000, "settings": {"window": 1}}
"""

import hashlib
import json
import sys
from binascii import hexlify

from agent.fetch.tftp import client as tftp
from hal.device import Clock, Random
from hal.device.net import Net


class Digest:
    """Keeps the SHA-256 alone, so that the heap shows what the client needs."""

    def begin(self, size):
        self.sha256 = hashlib.sha256()

    def write(self, block):
        self.sha256.update(block)


def main(order):
    """Fetches what the order says."""
    clock = Clock()
    client = tftp.Client(Net(), clock, Random(), **order["settings"])
    for name in order["names"]:
        sink = Digest()
        start = clock.monotonic()
        try:
            transfer = client.fetch([tuple(server) for server in order["servers"]], name, sink, order["limit"])
        except tftp.FetchError as error:
            print(json.dumps({"error": type(error).__name__, "text": str(error)}))
            continue
        print(
            json.dumps(
                {
                    "server": transfer.server,
                    "size": transfer.size,
                    "options": transfer.options,
                    "sha256": hexlify(sink.sha256.digest()).decode(),
                    "milliseconds": clock.monotonic() - start,
                    "failures": [str(failure) for failure in transfer.failures],
                }
            )
        )
    client.close()


main(json.loads(sys.stdin.read()))
