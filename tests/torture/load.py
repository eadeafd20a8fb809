# SPDX-License-Identifier: MIT
"""Load: a thousand phones that boot at once, ten thousand boots of one phone, ten thousand requests to one service."""

import asyncio
import ctypes
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from host_tools.lab.model.cluster import Cluster
from tests.helpers.agent.clusters import cluster as vector_files
from tests.helpers.agent.phone_world import World
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.servers.service_lab import Lab
from tests.torture.tally import Tally

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4
#: bytes that ten thousand rounds may leave behind, 200 for each: 10,000 boots cost 1.1 MB here although Python and malloc have
#: given out no more than before, as the memory is cut into smaller pieces
GROWTH = 2 << 20
FLASH = 131072
BOOT_BOUND = 300  # s, for a phone among all the others


def run(effort):
    """Three lines."""
    whole = effort.seconds >= 120 and not effort.short
    phones = 1000 if whole else max(12, min(1000, int(effort.seconds * 3)))
    rounds = 10000 if whole else max(200, min(10000, int(effort.seconds * 20)))
    return [at_once(phones), again_and_again(rounds), requests(rounds)]


def mac(number):
    """The address of a phone."""
    return f"0011{number:08X}"


def at_once(count):
    """`count` phones in PROCESSES processes boot at once against one lab cluster."""
    tally = Tally("load: phones that boot at once", "")
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        cluster = Cluster.create(Path(name) / "cluster", key_maker=PooledKeys())
        for number in range(count):
            cluster.add_phone(mac(number))
        with cluster.serve() as serving:
            children = []
            for number in range(PROCESSES):
                own = list(range(number, count, PROCESSES))
                order = {
                    "macs": [mac(each) for each in own],
                    "server": f"127.0.0.1:{serving.tftp_port()}",
                    "folder": name,
                }
                command = [sys.executable, "-m", "tests.torture.load"]
                children.append(
                    subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                )
                children[-1].stdin.write(json.dumps(order) + "\n")
                children[-1].stdin.close()
            results = [json.loads(line) for child in children for line in child.stdout]
            for child in children:
                child.stdout.close()
                child.wait()
    for device, good, took, reasons in results:
        if good and took < BOOT_BOUND:
            tally.survive(took)
        else:
            tally.lose(f"{device}: {reasons}", took)
    for _ in range(count - len(results)):
        tally.lose("a phone that never reported")
    times = sorted(result[2] for result in results)
    if times:
        part = " · ".join(
            f"{share} %: {times[min(len(times) - 1, len(times) * share // 100)]:.2f} s" for share in (50, 90, 99)
        )
        tally.note = (
            f"{count} phones in {PROCESSES} processes against the lab cluster's one TFTP server; latency {part}."
        )
    return tally


def again_and_again(count):
    """`count` boots of one phone from its flash: neither memory nor open files grow."""
    tally = Tally("load: boots of one phone")
    world = World(vector_files(ctl="ctl-mixed.tlv"))
    assert world.boot(), world.reasons()
    before = None
    for number in range(count):
        begun = time.monotonic()
        good = world.restart()
        took = time.monotonic() - begun
        world.server.asked.clear()
        world.server._transfers.clear()
        world.hal.net.sent.clear()
        world.hal.console.output = ""
        world.hal.clock.sleeps.clear()
        if good:
            tally.survive(took)
        else:
            tally.lose(f"boot {number}: {world.reasons()}", took)
        if number == count // 10:
            before = usage()
    _grown(tally, before, usage(), f"the last {count - count // 10} boots")
    return tally


def requests(count):
    """`count` requests of programs to the service of a phone in a process of its own."""
    tally = Tally("load: requests of the service")
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        lab = Lab(Path(name), "cpython")
        try:
            pid = lab.phone.process.pid
            before = None
            for number in range(count):
                if number % 500 == 0:
                    client = lab.client()
                begun = time.monotonic()
                state = client.status()["state"]
                took = time.monotonic() - begun
                if state == "trusted":
                    tally.survive(took)
                else:
                    tally.lose(f"request {number}: {state}", took)
                if number % 500 == 499:
                    client.close()
                if number == count // 10:
                    before = usage(pid)
            _grown(tally, before, usage(pid), f"the last {count - count // 10} requests")
        finally:
            lab.close()
    return tally


def usage(pid=None):
    """(bytes of resident memory, open files) of a process. Of this one without what malloc keeps for later: how much that is
    depends on when garbage was collected, and is up to some MB."""
    if pid is None:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
    folder = Path("/proc") / str(pid or os.getpid())
    pages = int((folder / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir(folder / "fd"))


def _grown(tally, before, after, what):
    memory, files = (new - old for new, old in zip(after, before, strict=True))
    tally.note = f"{what} grew memory by {memory / 1024:.0f} KB and open files by {files}."
    if memory > GROWTH or files > 1:
        tally.lose(tally.note)


async def _phone(address, order):
    """One phone's boot over real sockets: (device, good, seconds, reasons)."""
    from agent.main import Phone
    from agent.settings import Settings
    from hal import host

    path = Path(order["folder"]) / f"store-{address}"
    path.write_bytes(bytes(FLASH))
    hal = host.Hal(
        board=host.Board(address, "8861"), flash=host.Flash(path, FLASH), console=host.Console(writer=io.StringIO())
    )
    phone = Phone(hal, Settings({"mac": address, "model": "8861", "tftp": [order["server"]]}))
    begun = time.monotonic()
    while time.monotonic() - begun < BOOT_BOUND:
        good = await phone.boot()
        if good:
            break
        await hal.clock.sleep(1000)  # as a phone does, though after a longer pause
    took = time.monotonic() - begun
    hal.flash.close()
    path.unlink()
    return f"SEP{address}", good, took, [f"{one.kind} {one.reason}" for one in phone.history.decisions[-3:]]


async def _phones(order):
    for done in asyncio.as_completed([_phone(address, order) for address in order["macs"]]):
        print(json.dumps(await done), flush=True)


if __name__ == "__main__":
    asyncio.run(_phones(json.loads(sys.stdin.readline())))
