# SPDX-License-Identifier: MIT
"""What the benchmark of TVS runs in each Python: tvs_client.py PORT ROUNDS TVS.der ASKED.der.

Both sides in turn: a connection that ends after its handshake, and one question with its answer. Prints the median ms of
the handshake and of the question, then how many questions the same question within its TTL cost.
"""

import asyncio
import sys
import time

from agent.servers.tvs.client import TvsClient
from agent.trust.decision import Question

if sys.implementation.name == "micropython":
    from hal.device import Hal
    from hal.device.libc import libc

    _clock = libc.func("l", "clock", "")

    def _now():
        # (CPU time of this process, time), both in microseconds
        return _clock(), time.ticks_us()
else:
    from hal.host import Hal

    def _now():
        return time.process_time() * 1e6, time.perf_counter() * 1e6


PATIENCE = 60000  # ms
APPLICATION_ROLE = 7


def _content(path):
    with open(path, "rb") as file:
        return file.read()


async def measure(port, rounds, tvs, asked):
    """(ms of a handshake, ms of a question): medians."""
    hal = Hal()
    server = ("127.0.0.1", port)
    client = TvsClient(hal.net, hal.clock, hal.random, "CP-8861-SEP00270DC01C92", PATIENCE)
    client.set_servers([server])
    client.set_certificates([tvs])
    question = Question("verify", (APPLICATION_ROLE,), None, certificate=asked)

    async def accept(certificate):
        return certificate == tvs

    async def handshake():
        (await hal.net.tls(server[0], server[1], hal.clock.monotonic() + PATIENCE, accept)).close()

    async def ask():
        client.clear()
        await ask_again()

    async def ask_again():
        answer = await client.ask(question, hal.clock.monotonic() + PATIENCE)
        if answer.status != "valid":
            raise SystemExit(answer.text)

    taken = [], [], [], []
    for turn in range(rounds + 1):
        for side in (0, 1):
            before = _now()
            await (ask() if side else handshake())
            after = _now()
            for kind in (0, 1) if turn else ():
                taken[2 * kind + side].append((after[kind] - before[kind]) / 1000)
    await ask_again()
    return [sorted(times)[len(times) // 2] for times in taken]


print(*asyncio.run(measure(int(sys.argv[1]), int(sys.argv[2]), _content(sys.argv[3]), _content(sys.argv[4]))))
