# SPDX-License-Identifier: MIT
"""A thousand phones that start at the lab's cluster, against a plain tftpy server with the same files.

As a program, `python -m host_tools.bench.cluster lab|plain FOLDER` serves a cluster or a folder by TFTP, prints the port, and
ends when its standard input does."""

import asyncio
import contextlib
import logging
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import tftpy

from agent.fetch.errors import NotFound
from agent.fetch.tftp.client import Client
from hal.host import Hal
from host_tools.bench.measure import Line
from host_tools.lab.model.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]
PHONES = 1000
AT_ONCE = 8
ROUNDS = 3
DEADLINE = 120000  # ms that a phone may wait for a file among all the others


class Nowhere:
    """A sink that counts."""

    size = 0

    def begin(self, size):
        """The file starts."""
        self.size = 0

    def write(self, block):
        """The next bytes."""
        self.size += len(block)


@contextlib.contextmanager
def serving(kind, folder):
    """The port of a server in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools.bench.cluster", kind, str(folder)], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None, "they are pipes"
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(30)


def mac(number):
    """The address of a phone."""
    return f"0011{number:08X}"


async def phone(client, hal, server, device):
    """What one phone asks for when it starts; the bytes that it got."""
    got = 0
    for name in (f"CTL{device}.tlv", "CTLFile.tlv", f"ITL{device}.tlv", "ITLFile.tlv", f"{device}.cnf.xml.sgn"):
        sink = Nowhere()
        with contextlib.suppress(NotFound):
            await client.fetch(server, name, sink, 65536, hal.clock.monotonic() + DEADLINE)
        got += sink.size
    return got


async def crowd(server, count):
    """All phones, AT_ONCE at a time; the bytes that they got together."""
    hal = Hal()
    devices = iter([f"SEP{mac(number)}" for number in range(count)])
    got = 0

    async def some():
        nonlocal got
        client = Client(hal.net, hal.clock, hal.random, deadline=DEADLINE)
        for device in devices:
            received = await phone(client, hal, server, device)
            got += received
        client.close()

    await asyncio.gather(*[some() for _ in range(AT_ONCE)])
    return got


def handed_out(cluster):
    """The folder of what the cluster hands out."""
    state = cluster.state
    return state.folder / "published" / state.data["nodes"][0]["name"]


def lines(count=PHONES):
    """Both servers in turn."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cluster = Cluster.create(folder / "cluster")
        cluster.add_phones([mac(number) for number in range(count)])
        taken, got = {"lab": [], "plain": []}, set()
        # Its configuration names its ports, so the plain server's folder is the one of the cluster that is being served.
        with serving("lab", folder / "cluster") as ours, serving("plain", handed_out(cluster)) as theirs:
            for _ in range(ROUNDS):
                for kind, port in (("lab", ours), ("plain", theirs)):
                    began = time.perf_counter()
                    got.add(asyncio.run(crowd(("127.0.0.1", port), count)))
                    taken[kind].append(time.perf_counter() - began)
        if len(got) != 1:
            raise RuntimeError(f"the two servers handed out different files: {sorted(got)} bytes")
    ours, plain = (statistics.median(taken[kind]) for kind in ("lab", "plain"))
    yield Line(
        f"{count:,} phones served by the lab cluster", ours, "s", plain, 1.1,
        f"five requests each, two files, {AT_ONCE} phones at a time; the lab notes who fetched what; other: tftpy's server alone "
        "with the same folder", 10,
    )  # fmt: skip


def main(kind, folder):
    """Serve until standard input ends."""
    logging.disable(logging.CRITICAL)
    if kind == "lab":
        with Cluster(folder).serve() as running:
            print(running.tftp_port(), flush=True)
            sys.stdin.read()
        return
    server = tftpy.TftpServer(folder)
    threading.Thread(target=server.listen, args=("127.0.0.1", 0), kwargs={"timeout": 1}, daemon=True).start()
    server.is_running.wait(10)
    print(server.listenport, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
