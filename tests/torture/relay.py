# SPDX-License-Identifier: MIT
"""A bad network of datagrams on loopback: a relay in front of a TFTP server that loses, delays, doubles and reorders packets.

Each client has one socket towards the server and one towards itself, so that the ports of a transfer stay what they are. What
happens to each packet is drawn from a seed. The kernel's netem would do the same; many kernels are built without it."""

import heapq
import itertools
import random
import select
import socket
import threading
import time

LONGEST_DELAY = 0.15  # s
HELD_BACK = 0.03  # s, a packet that others overtake


class Relay:
    """With `share` of all packets each fault happens. A context manager; address: where phones ask. counts: {fault: number}."""

    def __init__(self, server, share, seed):
        self._server = server
        self._share = share
        self._draw = random.Random(seed)
        self._front = _socket()
        self.address = self._front.getsockname()
        self.counts = {"passed": 0, "lost": 0, "delayed": 0, "doubled": 0, "reordered": 0}
        self._clients = {}  # client -> _Client
        self._waiting = []
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)
        for each in [self._front, *(end for one in self._clients.values() for end in (one.near, one.far))]:
            each.close()

    def _run(self):
        while not self._stop.is_set():
            ends = {self._front: None}
            for one in self._clients.values():
                ends[one.near] = ends[one.far] = one
            for each in select.select(list(ends), [], [], 0.005)[0]:
                self._take(each, ends[each])
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                _, _, sender, packet, to = heapq.heappop(self._waiting)
                sender.sendto(packet, to)

    def _take(self, end, one):
        try:
            packet, source = end.recvfrom(65536)
        except OSError:
            return  # an ICMP answer to an earlier packet
        if one is None:
            one = self._clients[source] = self._clients.get(source) or _Client(source)
            self._pass(one.far, packet, self._server)
        elif end is one.near:
            if one.transfer:
                self._pass(one.far, packet, one.transfer)
        else:
            one.transfer = source
            self._pass(one.near, packet, one.address)

    def _pass(self, sender, packet, to):
        hit = {fault: self._draw.random() < self._share for fault in ("lost", "delayed", "doubled", "reordered")}
        self.counts["passed"] += 1
        for fault, happens in hit.items():
            self.counts[fault] += happens
        if hit["lost"]:
            return
        delay = self._draw.random() * LONGEST_DELAY if hit["delayed"] else 0
        delay += HELD_BACK if hit["reordered"] else 0
        for _ in range(2 if hit["doubled"] else 1):
            heapq.heappush(self._waiting, (time.monotonic() + delay, next(self._numbers), sender, packet, to))


class _Client:
    """One port of a phone. transfer: the server's port that answers it."""

    def __init__(self, address):
        self.address = address
        self.near = _socket()
        self.far = _socket()
        self.transfer = None


def _socket():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made
