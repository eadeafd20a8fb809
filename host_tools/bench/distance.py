# SPDX-License-Identifier: MIT
"""Servers that are 40 ms of round trip away: one file against curl, and a whole boot against the round trips that TFTP forces.

The distance is between two network namespaces (host_tools/link), as many kernels have no netem; it needs root."""

import contextlib
import random
import socket
import statistics
import tempfile
import time
from pathlib import Path

from agent.fetch.tftp.client import WINDOW
from host_tools.bench import phone_boot, tftp
from host_tools.bench.measure import Line, medians
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.servers.daemons import Atftpd
from host_tools.link import Faults, Link

ROUND_TRIP = 40  # ms
SIZE = 64 << 10
ROUNDS = 7
BOOTS = 5
MEMORY = Path("/dev/shm")
LARGEST = 65464  # RFC 2348
UNBROKEN = 1468  # the largest that Ethernet carries in one piece


class FarAtftpd(Atftpd):
    """atftpd at the far end of a link."""

    def __init__(self, link, folder):
        super().__init__(folder)
        self.host = link.far.address


@contextlib.contextmanager
def far_server(folder):
    """(server at the far end that serves `folder`); the caller is at the near end meanwhile."""
    with Link(Faults(delay=ROUND_TRIP / 2000)) as link:
        with link.far:
            server = FarAtftpd(link, folder).__enter__()
        try:
            with link.near:
                yield server
        finally:
            server.stop()


def round_trips(sizes):
    """Those that a boot cannot do without: one for a name that is not there; for a file one for the options and one for each
    window of blocks."""
    trips = 0
    for name in phone_boot.asked_for():
        trips += 1 + (-(-phone_boot.blocks(sizes[name]) // WINDOW) if name in sizes else 0)
    return trips


def round_trip(server):
    """The ms of a bare request and its answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        began = time.perf_counter()
        sock.sendto(b"\0\1not there\0octet\0", server.address)
        sock.recv(600)
        return (time.perf_counter() - began) * 1e3


def one_file(folder):
    """64 KB from far away."""
    content = random.Random(SIZE).randbytes(SIZE)
    (folder / "files").mkdir()
    (folder / "files" / "file").write_bytes(content)
    program, output = tftp.needed("curl"), folder / "fetched"
    with far_server(folder / "files") as server:
        sides = [
            tftp.ours(server, content, block_size=tftp.BLOCK),
            tftp.curl(program, server, output, "--tftp-blksize", str(UNBROKEN), size=SIZE),
            tftp.curl(program, server, output, "--tftp-blksize", str(LARGEST), size=SIZE),
        ]
        ours, unbroken, largest = (seconds * 1e3 for seconds in medians(sides, ROUNDS))
    how = f"atftpd, {ROUND_TRIP} ms of round trip; ours: blocks of {tftp.BLOCK}, windows of {WINDOW}"
    yield Line(
        "TFTP of 64 KB from 40 ms away", ours, "ms", unbroken, 0.25,
        f"{how}; other: curl with blocks of {UNBROKEN}, the largest that Ethernet carries in one piece", 6,
    )  # fmt: skip
    yield Line(
        "the same, curl with blocks of 64 KB", ours, "ms", largest, None,
        f"{how}; other: curl with blocks of {LARGEST}, which arrive in 45 fragments each, as one or not at all: 3 round trips "
        "against our 2, so 0.67 is the least there is",
    )  # fmt: skip


def boot(folder):
    """A phone's first boot: CTL, ITL, configuration."""
    cluster = Cluster.create(folder / "cluster", mixed=True)
    cluster.add_phone(phone_boot.MAC)
    sizes = phone_boot.publish(cluster, folder / "handed-out")
    taken, trips = [], []
    with far_server(folder / "handed-out") as server:
        for number in range(BOOTS):
            own = folder / f"phone-{number}"
            own.mkdir()
            phone = phone_boot.BootedPhone(own, server.address)
            began = time.perf_counter()
            if not phone.boot():
                raise RuntimeError(f"the boot went wrong: {phone.reasons}")
            taken.append((time.perf_counter() - began) * 1e3)
            trips += [round_trip(server) for _ in range(round_trips(sizes))]
    forced = round_trips(sizes) * statistics.median(trips)
    yield Line(
        "boot with servers 40 ms away", statistics.median(taken), "ms", forced, 1.2,
        f"the first boot of a phone in a mixed cluster, CTL, ITL and configuration of {sum(sizes.values()) / 1e3:.0f} KB from "
        f"atftpd, stored in memory; other: the {round_trips(sizes)} round trips that TFTP forces, each as long as one bare request for a "
        f"file that is not there: {statistics.median(trips):.1f} ms", 9,
    )  # fmt: skip


def lines():
    """Both."""
    for subject in (one_file, boot):
        # In memory: how fast this machine's disk syncs is no matter of the network.
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as scratch:
            yield from subject(Path(scratch))
