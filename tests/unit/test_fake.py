# SPDX-License-Identifier: MIT
"""The fake HAL keeps the promises of hal/__init__.py, so that tests of the agent on it are meaningful."""

import asyncio

from hal.fake import FakeFlash, FakeRandom, Hal, PowerLost, Restarted
from tests.helpers.agent.both import raises, run

EACCES, ETIMEDOUT, ECONNREFUSED, ECONNRESET, ENOENT, EPROTO, EPIPE = 13, 110, 111, 104, 2, 71, 32


def fails(number, coroutine):
    """The coroutine raises OSError with this errno."""
    error = raises(OSError, run, coroutine)
    assert error.args[0] == number, error


async def caught(number, coroutine):
    """The same in a loop."""
    try:
        await coroutine
    except OSError as error:
        assert error.args[0] == number, error
    else:
        raise AssertionError("no OSError")


def test_the_clock_stands_until_someone_sleeps():
    hal = Hal()
    start = hal.clock.monotonic()
    assert hal.clock.monotonic() == start
    run(hal.clock.sleep(2500))
    assert hal.clock.monotonic() == start + 2500 and hal.clock.sleeps == [2500]


def test_random_bytes_differ_and_repeat_with_the_seed():
    random = FakeRandom()
    first = random.bytes(16)
    assert len(first) == 16 and first != random.bytes(16)
    assert first == FakeRandom().bytes(16) != FakeRandom(2).bytes(16)


def test_addresses():
    net = Hal().net
    net.names["ucm.example"] = "192.0.2.1"
    address = run(net.resolve("ucm.example", 69, 0))
    assert net.address_text(address) == "192.0.2.1:69"
    assert net.same_host(address, run(net.resolve("192.0.2.1", 4000, 0)))
    assert not net.same_host(address, run(net.resolve("192.0.2.2", 69, 0)))
    fails(ENOENT, net.resolve("nowhere.example", 69, 0))


def test_datagrams_arrive_at_their_time_and_in_its_order():
    hal = Hal()

    def server(data, source, reply):
        reply(b"late " + data, delay=300)
        reply(b"soon", delay=100, port=4000)

    hal.net.serve_udp("192.0.2.1", 69, server)
    address = run(hal.net.resolve("192.0.2.1", 69, 0))
    udp = hal.net.udp(address)
    udp.send(memoryview(b"question"), address)
    buffer = bytearray(10)
    start = hal.clock.monotonic()
    assert run(udp.receive_into(buffer, start + 50)) is None and hal.clock.monotonic() == start + 50
    count, source = run(udp.receive_into(buffer, start + 1000))
    assert buffer[:count] == b"soon" and hal.net.address_text(source) == "192.0.2.1:4000"
    assert hal.clock.monotonic() == start + 100
    count, source = run(udp.receive_into(buffer, start + 300))
    assert count == 10 and buffer == b"late quest", "cut to the buffer"
    assert run(udp.receive_into(buffer, 0)) is None
    assert hal.net.sent == [("udp", "192.0.2.1:69", b"question")]
    udp.close()
    assert udp.closed


def test_a_port_without_server_and_a_silent_host_do_not_answer():
    hal = Hal()
    hal.net.serve_udp("192.0.2.1", 69, lambda data, source, reply: reply(b"x"))
    hal.net.silent.add("192.0.2.1")
    udp = hal.net.udp(("192.0.2.1", 69))
    for address in (("192.0.2.1", 69), ("192.0.2.9", 69)):
        udp.send(b"x", address)
        assert run(udp.receive_into(bytearray(4), hal.clock.monotonic() + 10)) is None
    ends = hal.clock.monotonic() + 100
    fails(ETIMEDOUT, hal.net.tcp("192.0.2.1", 80, ends))
    assert hal.clock.monotonic() == ends
    fails(ECONNREFUSED, hal.net.tcp("192.0.2.9", 80, ends))


def judge(verdict, asked):
    """What net.tls() asks about a certificate."""

    async def accept(certificate):
        asked.append(certificate)
        return verdict

    return accept


def test_a_tls_server_speaks_first_and_shows_its_certificate():
    hal = Hal()
    seen = []
    asked = []

    def server(peer, data):
        if not data:
            peer.say(b"hello ")
            peer.say(b"there", delay=20)
        else:
            seen.append((peer.identity, data))
            peer.say(b"bye")
            peer.end()

    hal.net.serve_tcp("192.0.2.2", 2445, server, certificate=b"DER")
    fails(EPROTO, hal.net.tcp("192.0.2.2", 2445, 2000))
    shown = (b"certificate", b"key")
    stream = run(hal.net.tls("192.0.2.2", 2445, 2000, judge(True, asked), identity=shown))
    assert stream.peer_certificate == b"DER" and asked == [b"DER"]
    got = bytearray()
    buffer = bytearray(4)
    while len(got) < 11:
        got.extend(buffer[: run(stream.read_into(buffer, 2000))])
    assert got == b"hello there"
    fails(ETIMEDOUT, stream.read_into(buffer, 3000))
    run(stream.write(bytearray(b"question"), 4000))
    assert seen == [(shown, b"question")]
    assert run(stream.read_into(buffer, 4000)) == 3 and buffer[:3] == b"bye"
    assert not stream.orderly
    assert run(stream.read_into(buffer, 4000)) == 0 and run(stream.read_into(buffer, 4000)) == 0 and stream.orderly
    stream.close()
    fails(EPIPE, stream.write(b"x", 5000))


def test_a_tls_server_that_is_not_believed_hears_nothing():
    hal = Hal()
    heard = []
    hal.net.serve_tcp("192.0.2.2", 2445, lambda peer, data: heard.append(data), certificate=b"DER")
    fails(EACCES, hal.net.tls("192.0.2.2", 2445, 2000, judge(False, []), identity=(b"certificate", b"key")))
    assert heard == []


def test_a_connection_may_be_cut_or_reset():
    hal = Hal()
    hal.net.serve_tcp("192.0.2.2", 80, lambda peer, data: peer.reset() if data else None)
    stream = run(hal.net.tcp("192.0.2.2", 80, 2000))
    assert stream.peer_certificate is None
    run(stream.write(b"x", 2000))
    fails(ECONNRESET, stream.read_into(bytearray(4), 2000))
    fails(EPROTO, hal.net.tls("192.0.2.2", 80, 2000, judge(True, [])))
    hal.net.serve_tcp("192.0.2.2", 443, lambda peer, data: peer.end(orderly=False), certificate=b"DER")
    stream = run(hal.net.tls("192.0.2.2", 443, 2000, judge(True, [])))
    assert run(stream.read_into(bytearray(4), 2000)) == 0 and not stream.orderly


def test_local_clients_are_waited_for():
    hal = Hal()
    listener = hal.net.listen_local("/run/phonetrust")

    async def serve():
        accepting = asyncio.create_task(listener.accept())
        await asyncio.sleep(0)
        client = hal.net.listeners["/run/phonetrust"].connect(room=6, process=7, user=8, group=9)
        stream = await accepting
        assert (stream.process, stream.user, stream.group) == (7, 8, 9)
        buffer = bytearray(4)
        reading = asyncio.create_task(stream.read_into(buffer))
        await asyncio.sleep(0)
        client.send(b"abcdef")
        assert await reading == 4 and await stream.read_into(buffer) == 2 and buffer[:2] == b"ef"
        now = hal.clock.monotonic()
        await caught(ETIMEDOUT, stream.read_into(buffer, now + 10))
        assert hal.clock.monotonic() == now + 10
        await stream.write(b"answer", now + 20)
        await caught(ETIMEDOUT, stream.write(b"more", now + 20))
        assert client.receive() == b"answer"
        client.close()
        assert await stream.read_into(buffer) == 0
        await caught(EPIPE, stream.write(b"x", now + 30))
        stream.close()
        return client

    client = asyncio.run(serve())
    listener.close()
    assert client.refused and "/run/phonetrust" not in hal.net.listeners
    raises(OSError, listener.connect)


def test_the_console_gives_lines_at_their_time():
    hal = Hal()
    start = hal.clock.monotonic()
    hal.console.type("show itl", delay=50)
    hal.console.type("exit")
    assert run(hal.console.read_line()) == "show itl" and hal.clock.monotonic() == start + 50
    assert run(hal.console.read_line()) == "exit"
    hal.console.end()
    raises(EOFError, run, hal.console.read_line())
    hal.console.write("a")
    hal.console.write("b\n")
    assert hal.console.output == "ab\n"


def test_a_line_is_waited_for():
    hal = Hal()

    async def wait():
        reading = asyncio.create_task(hal.console.read_line())
        await asyncio.sleep(0)
        hal.console.type("now")
        return await reading

    assert asyncio.run(wait()) == "now"


def test_the_board_restarts_by_leaving():
    board = Hal().board
    board.watchdog()
    assert board.fed == 1
    raises(Restarted, board.restart)


def test_flash_keeps_what_is_written_and_knows_its_end():
    flash = FakeFlash(1000)
    flash.write(10, b"abc")
    buffer = bytearray(5)
    flash.read_into(9, buffer)
    assert buffer == b"\xffabc\xff"
    for call in ((flash.write, 998, b"abc"), (flash.read_into, 999, bytearray(2)), (flash.write, -1, b"a")):
        raises(ValueError, *call)
    flash.bad = [(500, 501)]
    assert raises(OSError, flash.read_into, 499, bytearray(2)).args[0] == 5
    flash.read_into(498, bytearray(2))


def lost_after(torn, survivors, synced=False):
    """What is left of AAAA, BBBB, CCCC written one after the other when the power goes during the third."""
    flash = FakeFlash(12, lose_power_at=3, torn=torn, survivors=survivors)
    flash.write(0, b"AAAA")
    if synced:
        flash.sync()
    flash.write(4, b"BBBB")
    raises(PowerLost, flash.write, 8, b"CCCC")
    for call in ((flash.write, 0, b"x"), (flash.read_into, 0, bytearray(1)), (flash.sync,)):
        raises(PowerLost, *call)
    return bytes(flash.after_power_loss().data).replace(b"\xff", b".")


def test_power_is_lost_at_the_write_that_was_named():
    assert lost_after(False, None) == b"AAAABBBB...."
    assert lost_after(True, None) == b"AAAABBBBCC.."
    assert lost_after(0.25, None) == b"AAAABBBBC..."
    assert lost_after(1, None) == b"AAAABBBBCCCC"


def test_unsynced_writes_may_be_lost_in_any_choice():
    assert lost_after(False, 0) == b"............"
    assert lost_after(1, 2) == b"....BBBBCCCC"
    assert lost_after(False, 1) == b"AAAA........"
    assert lost_after(False, lambda index: index == 1) == b"....BBBB...."
    assert lost_after(False, 0, synced=True) == b"AAAA........"


def test_what_was_under_an_unsynced_write_comes_back():
    flash = FakeFlash(content=b"old!old!", survivors=0)
    flash.write(0, b"new")
    flash.write(2, b"er")
    assert flash.unsynced() == 2 and bytes(flash.data) == b"neer" + b"old!"
    assert bytes(flash.after_power_loss().data) == b"old!old!"
