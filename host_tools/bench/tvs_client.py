# SPDX-License-Identifier: MIT
"""What the benchmark of TVS runs in each Python: tvs_client.py PORT ROUNDS TVS.der ASKED.der.

Both sides in turn: a connection that ends after its handshake, and one question with its answer. Prints four numbers: the
ms of CPU time of a handshake and of a question, the ms that they took; then the program asks once more, within the TTL.
Each is what the fastest tenth kept to: whatever else the machine does only adds to it.
"""

import asyncio
import sys
import time

from agent.servers.tvs.client import TvsClient
from agent.trust.decision import Question

MICROPYTHON = sys.implementation.name == "micropython"
if MICROPYTHON:
    from hal.device import Hal
    from hal.device.libc import libc

    _clock = libc.func("l", "clock", "")
else:
    from hal.host import Hal

PATIENCE = 60000  # ms
APPLICATION_ROLE = 7


def _content(path):
    with open(path, "rb") as file:
        return file.read()


def _now():
    # CPU time of this process, and time, both in microseconds
    if MICROPYTHON:
        return _clock(), time.ticks_us()  # pyright: ignore[reportAttributeAccessIssue]
    return time.process_time_ns() / 1000, time.perf_counter_ns() / 1000


async def measure(port, rounds, tvs, asked):
    """[CPU ms of a handshake, of a question, ms of a handshake, of a question]."""
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
    return [sorted(times)[len(times) // 10] for times in taken]


print(*asyncio.run(measure(int(sys.argv[1]), int(sys.argv[2]), _content(sys.argv[3]), _content(sys.argv[4]))))
