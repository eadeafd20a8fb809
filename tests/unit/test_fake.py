# SPDX-License-Identifier: MIT
"""The fake HAL keeps the promises of hal/__init__.py, so that a test of the agent on it says something."""

from hal.fake import FakeFlash, FakeRandom, Hal, PowerLost, Restarted
from tests.helpers.agent.both import raises

ETIMEDOUT, ECONNREFUSED, ECONNRESET, ENOENT, EPROTO, EPIPE = 110, 111, 104, 2, 71, 32


def fails(number, call, *arguments):
    """The call raises OSError with this errno."""
    error = raises(OSError, call, *arguments)
    assert error.args[0] == number, error


def test_the_clock_stands_until_someone_sleeps():
    hal = Hal()
    start = hal.clock.monotonic()
    assert hal.clock.monotonic() == start and hal.clock.wall() is None
    hal.clock.sleep(2500)
    assert hal.clock.monotonic() == start + 2500 and hal.clock.sleeps == [2500]
    hal.clock.time = 1800000000
    assert hal.clock.wall() == 1800000000 + (start + 2500) // 1000


def test_random_bytes_differ_and_repeat_with_the_seed():
    random = FakeRandom()
    first = random.bytes(16)
    assert len(first) == 16 and first != random.bytes(16)
    assert first == FakeRandom().bytes(16) != FakeRandom(2).bytes(16)


def test_addresses():
    net = Hal().net
    net.names["ucm.example"] = "192.0.2.1"
    address = net.resolve("ucm.example", 69)
    assert net.address_text(address) == "192.0.2.1:69"
    assert net.same_host(address, net.resolve("192.0.2.1", 4000))
    assert not net.same_host(address, net.resolve("192.0.2.2", 69))
    fails(ENOENT, net.resolve, "nowhere.example", 69)


def test_datagrams_arrive_at_their_time_and_in_its_order():
    hal = Hal()

    def server(data, source, reply):
        reply(b"late " + data, delay=300)
        reply(b"soon", delay=100, port=4000)

    hal.net.serve_udp("192.0.2.1", 69, server)
    udp = hal.net.udp()
    address = hal.net.resolve("192.0.2.1", 69)
    udp.send(memoryview(b"question"), address)
    buffer = bytearray(10)
    start = hal.clock.monotonic()
    assert udp.receive_into(buffer, 50) is None and hal.clock.monotonic() == start + 50
    count, source = udp.receive_into(buffer, 1000)
    assert buffer[:count] == b"soon" and hal.net.address_text(source) == "192.0.2.1:4000"
    assert hal.clock.monotonic() == start + 100
    count, source = udp.receive_into(buffer, 200)
    assert count == 10 and buffer == b"late quest", "cut to the buffer"
    assert udp.receive_into(buffer, 0) is None
    assert hal.net.sent == [("udp", "192.0.2.1:69", b"question")]
    udp.close()
    assert udp.closed


def test_nobody_answers_on_a_port_without_server_or_on_a_silent_host():
    hal = Hal()
    hal.net.serve_udp("192.0.2.1", 69, lambda data, source, reply: reply(b"x"))
    hal.net.silent.add("192.0.2.1")
    udp = hal.net.udp()
    for address in (("192.0.2.1", 69), ("192.0.2.9", 69)):
        udp.send(b"x", address)
        assert udp.receive_into(bytearray(4), 10) is None
    fails(ETIMEDOUT, hal.net.tcp, "192.0.2.1", 80, 100)
    fails(ECONNREFUSED, hal.net.tcp, "192.0.2.9", 80, 100)


def test_a_tls_server_speaks_first_and_shows_its_certificate():
    hal = Hal()
    seen = []

    def server(peer, data):
        if not data:
            peer.say(b"hello ")
            peer.say(b"there", delay=20)
        else:
            seen.append((peer.identity, data))
            peer.say(b"bye")
            peer.end()

    hal.net.serve_tcp("192.0.2.2", 2445, server, certificate=b"DER")
    fails(EPROTO, hal.net.tcp, "192.0.2.2", 2445, 100)
    stream = hal.net.tls("192.0.2.2", 2445, 100, identity=(b"certificate", b"key"))
    assert stream.peer_certificate == b"DER"
    got = bytearray()
    buffer = bytearray(4)
    while len(got) < 11:
        got.extend(buffer[: stream.read_into(buffer)])
    assert got == b"hello there"
    fails(ETIMEDOUT, stream.read_into, buffer)
    stream.write(bytearray(b"question"))
    assert seen == [((b"certificate", b"key"), b"question")]
    assert stream.read_into(buffer) == 3 and buffer[:3] == b"bye"
    assert stream.read_into(buffer) == 0 and stream.read_into(buffer) == 0
    stream.close()
    fails(EPIPE, stream.write, b"x")


def test_a_connection_may_be_reset():
    hal = Hal()
    hal.net.serve_tcp("192.0.2.2", 80, lambda peer, data: peer.reset() if data else None)
    stream = hal.net.tcp("192.0.2.2", 80, 100)
    assert stream.peer_certificate is None
    stream.write(b"x")
    fails(ECONNRESET, stream.read_into, bytearray(4))
    fails(EPROTO, hal.net.tls, "192.0.2.2", 80, 100)


def test_local_clients_are_served_through_the_poller():
    hal = Hal()
    listener = hal.net.listen_local("/run/phonetrust")
    poller = hal.net.poller()
    poller.watch(listener)
    assert poller.wait(10) == [] and listener.accept() is None
    client = hal.net.listeners["/run/phonetrust"].connect(room=4)
    assert poller.wait(None) == [(listener, True, False)]
    stream = listener.accept()
    poller.watch(stream)
    assert stream.read_into(bytearray(4)) is None and poller.wait(10) == []
    client.send(b"abcdef")
    assert poller.wait(None) == [(stream, True, False)]
    buffer = bytearray(4)
    assert stream.read_into(buffer) == 4 and stream.read_into(buffer) == 2 and buffer[:2] == b"ef"
    assert stream.write(b"answer") == 4 and stream.write(b"er") == 0
    poller.watch(stream, writing=True)
    assert poller.wait(10) == []
    assert client.receive() == b"answ"
    assert poller.wait(None) == [(stream, False, True)]
    client.close()
    assert poller.wait(None) == [(stream, True, True)]
    assert stream.read_into(buffer) == 0
    fails(EPIPE, stream.write, b"x")
    poller.forget(stream)
    poller.forget(stream)
    stream.close()
    listener.close()
    assert client.refused and "/run/phonetrust" not in hal.net.listeners
    raises(OSError, poller.wait, None)


def test_the_console_gives_lines_at_their_time():
    hal = Hal()
    hal.console.type("show itl", delay=50)
    hal.console.type("exit")
    assert hal.console.read_line(20) is None
    assert hal.console.read_line(100) == "show itl"
    assert hal.console.read_line(0) == "exit"
    hal.console.end()
    raises(EOFError, hal.console.read_line, 100)
    hal.console.write("a")
    hal.console.write("b\n")
    assert hal.console.output == "ab\n"


def test_the_board_restarts_by_leaving():
    board = Hal().board
    board.watchdog()
    board.led(1)
    assert (board.fed, board.lit) == (1, True)
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
    fails(5, flash.read_into, 499, bytearray(2))
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
