# SPDX-License-Identifier: MIT
"""The line itself: packets go from one TAP device to the other, and some meet a fault.

As a program: relay.py NEAR FAR FAULTS, two inherited file descriptors and Faults as JSON. It ends when its standard input
does, and then prints what it counted as JSON."""

import heapq
import itertools
import json
import os
import random
import select
import sys
import time

LARGEST = 65536  # bytes of a frame
#: frames on the line at once; more are lost, as on any line
QUEUE = 20000
FAULTS = ("lost", "delayed", "doubled", "reordered")


class Faults:
    """delay: seconds that each packet takes one way. lost, delayed, doubled, reordered: the share of packets, 0 to 1, with this
    fault. A delayed packet takes up to `jitter` seconds longer; a reordered packet waits `held_back` seconds while others
    overtake it. `seed` decides all of this, for each direction by itself."""

    def __init__(
        self, delay=0.0, lost=0.0, delayed=0.0, doubled=0.0, reordered=0.0, jitter=0.15, held_back=0.03, seed=1
    ):
        self.delay = delay
        self.lost, self.delayed, self.doubled, self.reordered = lost, delayed, doubled, reordered
        self.jitter, self.held_back = jitter, held_back
        self.seed = seed

    @classmethod
    def each(cls, share, seed=1):
        """Every fault for the same share of packets."""
        return cls(lost=share, delayed=share, doubled=share, reordered=share, seed=seed)


class Direction:
    """One way over the line. pass_on() reads frames and puts them on the line; deliver() writes those that are due."""

    def __init__(self, source, sink, faults, name):
        self.source, self.sink = source, sink
        self.counts = dict.fromkeys(("passed", *FAULTS), 0)
        self._faults = faults
        self._draw = random.Random(f"{faults.seed} {name}")
        self._line = []  # heap of (due, number, frame)
        self._numbers = itertools.count()

    def pass_on(self, now):
        """Read all frames that have come, and decide what happens to each."""
        while True:
            try:
                frame = os.read(self.source, LARGEST)
            except BlockingIOError:
                return
            hit = {fault: self._draw.random() < getattr(self._faults, fault) for fault in FAULTS}
            delay = self._faults.delay
            delay += self._draw.random() * self._faults.jitter * hit["delayed"]
            delay += self._faults.held_back * hit["reordered"]
            hit["lost"] = hit["lost"] or len(self._line) >= QUEUE
            self.counts["passed"] += 1
            for fault in FAULTS:
                self.counts[fault] += hit[fault]
            for _ in range(0 if hit["lost"] else 2 if hit["doubled"] else 1):
                heapq.heappush(self._line, (now + delay, next(self._numbers), frame))

    def deliver(self, now):
        """Write the frames that are due."""
        while self._line and self._line[0][0] <= now:
            try:
                os.write(self.sink, heapq.heappop(self._line)[2])
            except OSError:
                pass  # the other end takes no more: the frame is lost, as in a full switch

    def due(self):
        """When the next packet leaves the line; None for an empty line."""
        return self._line[0][0] if self._line else None


def carry(near, far, faults, until=0):
    """Carry packets between two TAP devices until the file `until` ends; gives the counts of both directions together."""
    ways = [Direction(near, far, faults, "out"), Direction(far, near, faults, "back")]
    while True:
        dues = [due for way in ways if (due := way.due()) is not None]
        patience = max(0, min(dues) - time.monotonic()) if dues else None
        ready = select.select([near, far, until], [], [], patience)[0]
        if until in ready:
            return {name: sum(way.counts[name] for way in ways) for name in ways[0].counts}
        now = time.monotonic()
        for way in ways:
            if way.source in ready:
                way.pass_on(now)
            way.deliver(now)


if __name__ == "__main__":
    print(json.dumps(carry(int(sys.argv[1]), int(sys.argv[2]), Faults(**json.loads(sys.argv[3])))))
