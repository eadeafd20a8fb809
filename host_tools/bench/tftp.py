# SPDX-License-Identifier: MIT
"""3 MB by TFTP on loopback from atftpd: the agent's client in process against curl, a process for each file."""

import asyncio
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

from agent.fetch.tftp import client as tftp
from hal.host import Hal
from host_tools.bench.measure import Line, medians
from host_tools.lab.servers.daemons import Atftpd

SIZE = 3 << 20
ROUNDS = 21
BLOCK = 1428
PATIENCE = 60000  # ms for one file


class Kept:
    """A sink that keeps the file in memory that was allocated before, as the phone does."""

    def __init__(self):
        self.data = bytearray(SIZE)
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
    hal, sink = Hal(), Kept()
    client = tftp.Client(hal.net, hal.clock, hal.random, **settings)

    async def fetch():
        await client.fetch(server.address, server.name("file"), sink, SIZE, hal.clock.monotonic() + PATIENCE)
        client.close()

    def run():
        asyncio.run(fetch())
        if sink.data != content:
            raise RuntimeError("the file did not arrive unchanged")

    return run


def curl(program, server, output, *options):
    """A function that runs curl once."""
    host, port = server.address
    command = [program, "--silent", "--show-error", *options, "--output", str(output), f"tftp://{host}:{port}/file"]

    def run():
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
        if output.stat().st_size != SIZE:
            raise RuntimeError("curl did not fetch the whole file")

    return run


def lines():
    """With the same block size on both sides, then one block at a time, then plain RFC 1350 against curl as it comes."""
    program = shutil.which("curl")
    if program is None:
        raise RuntimeError("curl is not there; host_tools/setup/apt.sh test brings it")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "files"
        folder.mkdir()
        content = random.Random(SIZE).randbytes(SIZE)
        (folder / "file").write_bytes(content)
        with Atftpd(folder) as server:
            output = Path(scratch) / "fetched"
            sides = [
                ours(server, content, block_size=BLOCK),
                curl(program, server, output, "--tftp-blksize", str(BLOCK)),
                ours(server, content, block_size=BLOCK, window=1),
                ours(server, content, options=False),
                curl(program, server, output),
            ]
            windows, theirs, lockstep, plain, theirs_plain = (seconds * 1e3 for seconds in medians(sides, ROUNDS))
    what = "TFTP of 3 MB from atftpd"
    yield Line(
        what, windows, "ms", theirs, 1.0, f"blocks of {BLOCK} on both sides, ours in windows of 16; theirs: curl"
    )
    yield Line(f"{what}, lockstep", lockstep, "ms", theirs, note="the same without windows, which curl does not know")
    yield Line(f"{what}, plain", plain, "ms", theirs_plain, note="blocks of 512, no options of ours; curl as it comes")
