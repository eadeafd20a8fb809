# SPDX-License-Identifier: MIT
"""Runs one operation of a real HAL and prints what came of it as JSON; for test_hal_net.py, on either Python.

hal_probe.py NAME: the function probe_NAME is called with (hal, **ARGUMENTS), a JSON object in $HAL_PROBE_ARGUMENTS
(MicroPython dies of command line arguments of more than 255 bytes).
"""

import binascii
import json
import os
import sys

if sys.implementation.name == "micropython":
    from hal.device import Hal
else:
    from hal.host import Hal


def text(data):
    return binascii.hexlify(data).decode()


def timed(hal, call, *arguments):
    """[result or errno, milliseconds]; an error is {"error": errno}."""
    start = hal.clock.monotonic()
    try:
        result = call(*arguments)
    except OSError as error:
        result = {"error": error.args[0]}
    except ValueError:
        result = {"error": "ValueError"}
    return [result, hal.clock.monotonic() - start]


def probe_udp(hal, port):
    address = hal.net.resolve("127.0.0.1", port)
    udp = hal.net.udp()
    buffer = bytearray(8)
    answers = []
    for message in (b"echo", b"long", b"port", b"mute"):
        udp.send(message, address)
        found, took = timed(hal, udp.receive_into, buffer, 200)
        if found:
            count, source = found
            found = [text(buffer[:count]), source == address, hal.net.same_host(source, address)]
        answers.append([found, took])
    now, took = timed(hal, udp.receive_into, buffer, 0)
    udp.close()
    return {"answers": answers, "now": now, "text": hal.net.address_text(address)}


def probe_resolve(hal, host):
    return timed(hal, hal.net.resolve, host, 69)[0]


def probe_refused_udp(hal, port):
    udp = hal.net.udp()
    udp.send(b"x", hal.net.resolve("127.0.0.1", port))
    return timed(hal, udp.receive_into, bytearray(4), 100)


def connect(hal, kind, port, timeout, identity=None):
    if kind == "tcp":
        return hal.net.tcp("127.0.0.1", port, timeout)
    if identity:
        identity = [binascii.unhexlify(part) for part in identity]
    return hal.net.tls("127.0.0.1", port, timeout, identity)


def probe_connect(hal, kind, port, timeout, identity=None):
    found, took = timed(hal, connect, hal, kind, port, timeout, identity)
    if not isinstance(found, dict):
        found.close()
        found = "connected"
    return [found, took]


def probe_talk(hal, kind, port, say, timeout=5000, reads=3, identity=None):
    """Write `say`, then read so many times; what was read, the certificate."""
    stream = connect(hal, kind, port, timeout, identity)
    if say:
        stream.write(say.encode())
    buffer = bytearray(100)
    got = []
    for _ in range(reads):
        count, took = timed(hal, stream.read_into, buffer)
        got.append([count if isinstance(count, dict) else text(buffer[:count]), took])
    certificate = stream.peer_certificate
    stream.close()
    stream.close()
    return {"got": got, "certificate": certificate and text(certificate)}


def probe_bulk(hal, kind, port, size):
    """Write `size` bytes, read them back until the end; a checksum of what came."""
    stream = connect(hal, kind, port, 20000)
    block = bytes(range(256)) * 64
    for _ in range(size // len(block)):
        stream.write(block)
    buffer = bytearray(5000)
    view = memoryview(buffer)
    total = 0
    right = True
    while total < size:
        count = stream.read_into(buffer)
        if not count:
            break
        start = total % 256
        right = right and bytes(view[:count]) == (block * 2)[start : start + count]
        total += count
    stream.close()
    return [total, right]


def probe_local(hal, path):
    """Serve echo to as many clients as come until one says stop; how often the poller said what."""
    listener = hal.net.listen_local(path)
    poller = hal.net.poller()
    poller.watch(listener)
    idle = poller.wait(10)
    print("ready")
    streams = 0
    ended = 0
    buffer = bytearray(64)
    stopped = False
    while not stopped or streams > ended:
        for thing, readable, _ in poller.wait(5000):
            if thing is listener:
                poller.watch(thing.accept(), writing=False)
                streams += 1
                continue
            if not readable:
                continue
            count = thing.read_into(buffer)
            if count == 0:
                poller.forget(thing)
                thing.close()
                ended += 1
                continue
            stopped = stopped or buffer[:count] == b"stop"
            thing.write(memoryview(buffer)[:count])
    nobody = listener.accept()
    poller.forget(listener)
    listener.close()
    listener.close()
    return {"idle": len(idle), "streams": streams, "nobody": nobody}


def probe_slow(hal, path):
    """Write to one client that reads nothing, until no more is taken; then until it has gone."""
    listener = hal.net.listen_local(path)
    print("ready")
    poller = hal.net.poller()
    poller.watch(listener)
    poller.wait(5000)
    stream = listener.accept()
    total = 0
    while True:
        count = stream.write(bytes(10000))
        total += count
        if not count:
            break
    poller.watch(stream, writing=True)
    full = len(poller.wait(10))
    print("full")
    while not poller.wait(5000):
        pass
    hal.clock.sleep(50)
    gone = timed(hal, stream.write, b"x")[0]
    stream.close()
    listener.close()
    return {"total": total > 10000, "full": full, "gone": gone}


def probe_console(hal, timeout):
    """Lines until the end."""
    lines = []
    while True:
        try:
            lines.append(hal.console.read_line(timeout))
        except EOFError:
            return lines


def main(name, arguments):
    print(json.dumps(globals()["probe_" + name](Hal(), **arguments)))


main(sys.argv[1], json.loads(os.getenv("HAL_PROBE_ARGUMENTS")))
