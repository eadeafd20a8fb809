# SPDX-License-Identifier: MIT
"""3 MB by TFTP on loopback from atftpd: the agent's client on both Pythons against curl and atftp."""

import asyncio
import os
import random
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from agent.fetch.tftp import client as tftp
from hal.host import Hal
from host_tools.bench import device
from host_tools.bench.measure import Line, medians
from host_tools.lab.servers.daemons import Atftpd

SIZE = 3 << 20
ROUNDS = 15
BLOCK = 1428
WINDOW = tftp.WINDOW
PROGRAM = Path(__file__).with_name("tftp_fetch.py")
PATIENCE = 60000  # ms for one file


class Kept:
    """A sink that keeps the file in memory that was allocated before, as the phone does."""

    def __init__(self, size):
        self.data = bytearray(size)
        self._view = memoryview(self.data)
        self.size = 0

    def begin(self, size):
        """The file starts."""
        self.size = 0

    def write(self, block):
        """A block of it."""
        end = self.size + len(block)
        self._view[self.size : end] = block
        self.size = end


def ours(server, content, **settings):
    """A function that fetches the file once with the agent's client and checks that it arrived whole."""
    hal, sink = Hal(), Kept(len(content))
    client = tftp.Client(hal.net, hal.clock, hal.random, **settings)

    async def fetch():
        await client.fetch(server.address, server.name("file"), sink, len(content), hal.clock.monotonic() + PATIENCE)
        client.close()

    def run():
        asyncio.run(fetch())
        if sink.data != content:
            raise RuntimeError("the file did not arrive unchanged")

    return run


def curl(program, server, output, *options, size=SIZE):
    """A function that runs curl once."""
    host, port = server.address
    command = [program, "--silent", "--show-error", *options, "--output", str(output), f"tftp://{host}:{port}/file"]

    def run():
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
        if output.stat().st_size != size:
            raise RuntimeError("curl did not fetch the whole file")

    return run


def atftp(program, server, output):
    """A function that runs the atftp client once, with our block size and window."""
    options = ["--option", f"blksize {BLOCK}", "--option", f"windowsize {WINDOW}"]
    command = [program, "--get", *options, "--remote-file", "file", "--local-file", str(output)]

    def run():
        output.unlink(missing_ok=True)
        subprocess.run([*command, *map(str, server.address)], stdin=subprocess.DEVNULL, capture_output=True, check=True)
        if output.stat().st_size != SIZE:
            raise RuntimeError("atftp did not fetch the whole file")

    return run


def micropython(folder, server):
    """A function that starts a MicroPython that fetches the file some times: the median seconds of one."""
    command = device.command(PROGRAM, server.address[1], "file", SIZE, 3, heap="16M")
    environment = device.environment(folder)

    def run():
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, env=environment, capture_output=True, text=True, check=True
        )
        return statistics.median([int(line) / 1e6 for line in done.stdout.split()])

    return run


def cpu(run):
    """(ms in Python, ms in system calls) of CPU time of this process for one run."""
    before = os.times()
    for _ in range(ROUNDS):
        run()
    after = os.times()
    return (after.user - before.user) / ROUNDS * 1e3, (after.system - before.system) / ROUNDS * 1e3


def needed(program):
    """The path of a client; RuntimeError where it is not installed."""
    found = shutil.which(program)
    if found is None:
        raise RuntimeError(f"{program} is not there; host_tools/setup/apt.sh test brings it")
    return found


def lines():
    """With the same block size on all sides, then one block at a time, then plain RFC 1350 against curl as it comes."""
    clients = [needed(program) for program in ("curl", "atftp")]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "files"
        folder.mkdir()
        content = random.Random(SIZE).randbytes(SIZE)
        (folder / "file").write_bytes(content)
        software = Path(scratch) / "software"
        software.mkdir()
        device.install(software, PROGRAM)
        with Atftpd(folder) as server:
            output = Path(scratch) / "fetched"
            phone, on_phone = micropython(software, server), []
            sides = [
                ours(server, content, block_size=BLOCK),
                curl(clients[0], server, output, "--tftp-blksize", str(BLOCK)),
                atftp(clients[1], server, output),
                lambda: on_phone.append(phone()),
                ours(server, content, block_size=BLOCK, window=1),
                ours(server, content, options=False),
                curl(clients[0], server, output),
            ]
            times = [seconds * 1e3 for seconds in medians(sides, ROUNDS)]
            python, system = cpu(sides[0])
        windows, by_curl, by_atftp, _, lockstep, plain, plain_curl = times
    mapped = statistics.median(on_phone) * 1e3
    faster, which = min((by_curl, "curl"), (by_atftp, "the atftp client"))
    how = f"loopback, atftpd, blocks of {BLOCK} on all sides, windows of {WINDOW}"
    yield Line(
        "TFTP of 3 MB on CPython, against the faster client", windows, "ms", faster, 0.6,
        f"{how}; ours: the agent's client in a running process; other: {which}, a process for each file (curl "
        f"{by_curl:.1f} ms, without windows; atftp {by_atftp:.1f} ms)", 5,
        [
            ("CPU time of the client, Python", python),
            ("CPU time of the client, system calls", system),
            ("waiting for atftpd", max(windows - python - system, 0)),
        ],
    )  # fmt: skip
    yield Line("TFTP of 3 MB on CPython, against curl", windows, "ms", by_curl, 1.0, f"{how}; other: curl alone")
    yield Line(
        "TFTP of 3 MB on MicroPython x86-64", mapped, "ms", faster, 1.0,
        f"{how}; ours: the agent's client on MicroPython, mapped as on a board; other: {which}", 5,
    )  # fmt: skip
    yield Line(
        "TFTP of 3 MB, lockstep",
        lockstep,
        "ms",
        by_curl,
        None,
        "blocks of 1428 without windows, which curl does not know",
    )
    yield Line(
        "TFTP of 3 MB, plain",
        plain,
        "ms",
        plain_curl,
        None,
        "blocks of 512, no options of ours; other: curl as it comes",
    )
