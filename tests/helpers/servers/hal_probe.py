# SPDX-License-Identifier: MIT
"""Runs one operation of a HAL and prints its result; for the conformance tests test_hal_*.py, on either Python.

hal_probe.py NAME: the coroutine probe_NAME is called with (hal, **ARGUMENTS), a JSON object in $HAL_PROBE_ARGUMENTS
(MicroPython dies of command line arguments of more than 255 bytes), on a real HAL; its result is printed as JSON.
"""

import asyncio
import binascii
import json
import os
import sys

HOST = "127.0.0.1"
LONG = 20000  # ms that nothing here should need


def text(data):
    return binascii.hexlify(data).decode()


async def timed(hal, awaitable):
    """[result, milliseconds]; an error is {"error": errno}."""
    start = hal.clock.monotonic()
    try:
        result = await awaitable
    except OSError as error:
        result = {"error": error.args[0]}
    except (ValueError, RuntimeError) as error:
        result = {"error": type(error).__name__}
    return [result, hal.clock.monotonic() - start]


async def connect(hal, kind, port, patience, host=HOST, identity=None, verdict=True, pause=0, asked=None, rsa=False):
    deadline = hal.clock.monotonic() + patience
    hal.net.static_rsa = rsa
    if kind == "tcp":
        return await hal.net.tcp(host, port, deadline)

    async def accept(certificate):
        if asked is not None:
            asked.append(text(certificate))
        await hal.clock.sleep(pause)
        return verdict

    shown = identity and [binascii.unhexlify(part) for part in identity]
    return await hal.net.tls(host, port, deadline, accept, shown)


async def probe_udp(hal, port, host=HOST):
    now = hal.clock.monotonic
    address = await hal.net.resolve(host, port, now() + LONG)
    udp = hal.net.udp(address)
    buffer = bytearray(8)
    answers = []
    for message in (b"echo", b"long", b"port", b"mute"):
        udp.send(message, address)
        patience = 200 if message == b"mute" else LONG
        found, took = await timed(hal, udp.receive_into(buffer, now() + patience))
        if found:
            count, source = found
            found = [text(buffer[:count]), source == address, hal.net.same_host(source, address)]
        answers.append([found, took])
    nothing = await udp.receive_into(buffer, now())
    udp.send(b"echo", address)
    late = None
    ends = now() + LONG
    while late is None and now() < ends:
        await hal.clock.sleep(5)
        late = await udp.receive_into(buffer, now() - 1000)
    udp.close()
    udp.close()
    return {"answers": answers, "nothing": nothing, "late": late and late[0], "text": hal.net.address_text(address)}


async def probe_unanswered(hal, port):
    """A datagram to a port without server."""
    address = await hal.net.resolve(HOST, port, hal.clock.monotonic() + LONG)
    udp = hal.net.udp(address)
    udp.send(b"x", address)
    return await timed(hal, udp.receive_into(bytearray(4), hal.clock.monotonic() + 100))


async def probe_resolve(hal, hosts, patience=LONG):
    """All names at once, beside an address in digits; [what each gave, ms] and how often another task had its turn."""
    turns = []
    found = []

    async def tick():
        while True:
            await hal.clock.sleep(10)
            turns.append(1)

    async def look_up(host):
        got, took = await timed(hal, hal.net.resolve(host, 69, hal.clock.monotonic() + patience))
        found.append([host, got if isinstance(got, dict) else hal.net.address_text(got), took])

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*[look_up(host) for host in hosts])
    ticking.cancel()
    return {"found": found, "turns": len(turns)}


async def probe_connect(hal, kind, port, patience, **options):
    asked = []
    found, took = await timed(hal, connect(hal, kind, port, patience, asked=asked, **options))
    if not isinstance(found, dict):
        found.close()
        found = "connected"
    return {"found": found, "took": took, "asked": asked}


async def probe_talk(hal, kind, port, say="", patience=LONG, reads=1, **options):
    """Write `say`, then read so many times; what was read, the certificate, whether the end was in order."""
    stream = await connect(hal, kind, port, LONG, **options)
    if say:
        await stream.write(say.encode(), hal.clock.monotonic() + LONG)
    buffer = bytearray(100)
    got = []
    for _ in range(reads):
        count, took = await timed(hal, stream.read_into(buffer, hal.clock.monotonic() + patience))
        got.append([count if isinstance(count, dict) else text(buffer[:count]), took])
    orderly, certificate = stream.orderly, stream.peer_certificate
    stream.close()
    stream.close()
    return {"got": got, "certificate": certificate and text(certificate), "orderly": orderly}


async def probe_bulk(hal, kind, port, size):
    """Write `size` bytes, read them back until the end; how many came, and whether they were right."""
    stream = await connect(hal, kind, port, LONG)
    block = bytes(range(256)) * 64
    for _ in range(size // len(block)):
        await stream.write(block, hal.clock.monotonic() + LONG)
    buffer = bytearray(5000)
    view = memoryview(buffer)
    total = 0
    right = True
    while total < size:
        count = await stream.read_into(buffer, hal.clock.monotonic() + LONG)
        if not count:
            break
        start = total % 256
        right = right and bytes(view[:count]) == (block * 2)[start : start + count]
        total += count
    stream.close()
    return [total, right]


async def fill(hal, stream):
    """Write until the other side takes no more: [error, milliseconds of the last write]."""
    block = bytes(100000)
    while True:
        answer = await timed(hal, stream.write(block, hal.clock.monotonic() + 300))
        if answer[0] is not None:
            return answer


async def probe_full(hal, kind, port):
    """Write to a server that reads nothing."""
    return await fill(hal, await connect(hal, kind, port, LONG))


async def probe_waits(hal, kind, port):
    """A server stays silent: what happens to a second task that reads, to a cancelled task, and at a close."""
    stream = await connect(hal, kind, port, LONG)
    now = hal.clock.monotonic
    results = {}

    async def read(name):
        results[name] = await timed(hal, stream.read_into(bytearray(8), now() + LONG))

    first = asyncio.create_task(read("cancelled"))
    await hal.clock.sleep(20)
    results["second"] = await timed(hal, stream.read_into(bytearray(8), now() + LONG))
    first.cancel()
    await hal.clock.sleep(20)
    results["after"] = await timed(hal, stream.read_into(bytearray(8), now() + 50))
    last = asyncio.create_task(read("closed"))
    await hal.clock.sleep(20)
    stream.close()
    await last
    return results


async def probe_flood(hal, port):
    """A server sends without end: how many times another task had its turn meanwhile."""
    stream = await connect(hal, "tcp", port, LONG)
    turns = []
    buffer = bytearray(100)

    async def tick():
        while len(turns) < 20:
            turns.append(1)
            await hal.clock.sleep(0)

    ticking = asyncio.create_task(tick())
    for _ in range(1000):
        assert await stream.read_into(buffer, hal.clock.monotonic() + LONG)
    await ticking
    stream.close()
    return len(turns)


async def probe_local(hal, path):
    """Echo to each client until a client says stop and all have gone -> the clients' process, user and group."""
    listener = hal.net.listen_local(path)
    print("ready")
    clients = []
    ended = asyncio.Event()

    async def serve(stream, number):
        clients.append([stream.process, stream.user, stream.group])
        buffer = bytearray(64)
        while True:
            count = await stream.read_into(buffer)
            if not count:
                break
            await stream.write(memoryview(buffer)[:count], hal.clock.monotonic() + LONG)
            if buffer[:count] == b"stop":
                ended.set()
        stream.close()

    async def accept():
        while True:
            stream = await listener.accept()
            tasks.append(asyncio.create_task(serve(stream, len(tasks))))

    tasks = []
    accepting = asyncio.create_task(accept())
    await ended.wait()
    await asyncio.gather(*tasks)
    accepting.cancel()
    listener.close()
    listener.close()
    return clients


async def probe_slow(hal, path):
    """Write to one client that reads nothing, then once more when it has gone."""
    listener = hal.net.listen_local(path)
    print("ready")
    stream = await listener.accept()
    full = await fill(hal, stream)
    quiet = await timed(hal, stream.read_into(bytearray(10), hal.clock.monotonic() + 50))
    print("full")
    ended = await timed(hal, stream.read_into(bytearray(10)))
    gone = await timed(hal, stream.write(b"x", hal.clock.monotonic() + LONG))
    stream.close()
    listener.close()
    return {"full": full, "quiet": quiet, "ended": ended[0], "gone": gone[0]}


async def probe_console(hal):
    """Lines until the end."""
    lines = []
    while True:
        try:
            lines.append(await hal.console.read_line())
        except EOFError:
            return lines


async def probe_shout(hal, path, lines):
    """Write more than the console takes, tell in a file what that cost, and stay until the input ends."""
    start = hal.clock.monotonic()
    for number in range(lines):
        hal.console.write("line %d %s\n" % (number, "x" * 60))
    took = hal.clock.monotonic() - start
    with open(path, "w") as file:
        file.write(str(took))
    await probe_console(hal)


def real_hal():
    if sys.implementation.name == "micropython":
        from hal.device import Hal
    else:
        from hal.host import Hal
    return Hal()


async def main(name, arguments):
    found = await globals()["probe_" + name](real_hal(), **arguments)
    if found is not None:
        print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(os.getenv("HAL_PROBE_ARGUMENTS"))))
