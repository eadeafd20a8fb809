# SPDX-License-Identifier: MIT
"""The TFTP client against one server that behaves, on a network that does not."""

from agent.fetch.errors import BadTransfer, Stalled
from agent.fetch.tftp import client as tftp
from tests.helpers.agent.both import raises, run
from tests.helpers.agent.tftp_cases import (
    ACK0,
    ACK1,
    ACK2,
    FOREVER,
    HOST,
    Counter,
    body,
    fails,
    fetch,
    received,
    script,
)
from tests.helpers.agent.tftp_network import (
    Network,
    Server,
    Sink,
    data_packet,
    error_packet,
    oack,
    read_request,
)


def repeated(network):
    """How many packets the client sent twice in a row."""
    sent = network.sent
    return sum([sent[index] == sent[index - 1] for index in range(1, len(sent))])


# ---------------------------------------------------------------------- sizes and options


def test_every_size_around_a_block_with_and_without_options():
    for size in (0, 1, 511, 512, 513, 1427, 1428, 1429, 5000, 16 * 1428, 16 * 1428 + 1):
        for known in (("blksize", "tsize", "timeout", "windowsize"), ("tsize",), ("windowsize",), ()):
            server = Server({"file": body(size)}, known)
            network = Network({HOST: server})
            transfer, sink = fetch(network)
            network.advance(None, network.now + 5)
            assert sink.data == body(size), (size, known)
            assert transfer.size == size and transfer.server == (HOST, 69)
            assert sink.begun == [(size or None) if "tsize" in known else None]
            assert sorted(transfer.options) == sorted(known)
            assert repeated(network) == 0
            assert server.busy() == 0, "the last ACK arrived"
            assert len(server.requests) == 1


def test_request_asks_for_what_was_set():
    server = Server({"file": b"x"})
    fetch(Network({HOST: server}), block_size=1468, window=4, timeout=3500)
    assert server.requests == [("file", {"blksize": 1468, "tsize": 0, "timeout": 3, "windowsize": 4})]


def test_window_of_one_is_not_asked_for():
    server = Server({"file": b"x"})
    fetch(Network({HOST: server}), window=1)
    assert "windowsize" not in server.requests[0][1]


def test_without_options_the_request_is_plain_rfc_1350():
    network = Network({HOST: Server({"file": body(600)})})
    transfer, sink = fetch(network, options=False)
    assert network.sent[0] == (b"\x00\x01file\x00octet\x00", (HOST, 69))
    assert sink.data == body(600) and transfer.options == {} and transfer.blocks == 2


def test_server_may_shrink_block_and_window():
    first = oack((b"BlkSize", b"8"), (b"windowsize", b"2"), (b"tsize", b"17"))
    data = body(17)
    server = script([first], [data_packet(1, data[:8]), data_packet(2, data[8:16])], [data_packet(3, data[16:])], [])
    network = Network({HOST: server})
    transfer, sink = fetch(network)
    assert sink.data == data and transfer.options == {"blksize": 8, "windowsize": 2, "tsize": 17}
    assert received(network)[1:] == [ACK0, ACK2, b"\x00\x04\x00\x03"]


def test_an_acknowledgement_without_options_is_one():
    network = Network({HOST: script([b"\x00\x06"], [data_packet(1, b"plain")], [])})
    transfer, sink = fetch(network)
    assert sink.data == b"plain" and sink.begun == [None] and transfer.options == {}


def test_acknowledges_each_window_once():
    network = Network({HOST: Server({"file": body(8 * 10)})})
    fetch(network, block_size=8, window=4)
    assert [packet[3] for packet in received(network)[1:]] == [0, 4, 8, 11]


def test_refused_options_are_left_out():
    def server(network, packet, source, address):
        if packet[1] == 1:
            name, asked = read_request(packet)
            answer = error_packet(8, b"no options here") if asked else data_packet(1, b"plain")
            network.deliver(answer, source, (address[0], 5000))

    network = Network({HOST: server})
    transfer, sink = fetch(network)
    assert sink.data == b"plain" and transfer.options == {} and sink.begun == [None]
    ports = [address for packet, address in network.sent if packet[1] == 1]
    assert ports == [(HOST, 69), (HOST, 69)]


def test_any_error_but_two_to_a_request_with_options_is_tried_without():
    for code in (0, 3, 4, 5, 6, 7, 8, 99):
        network = Network({HOST: script([error_packet(code)], [data_packet(1, b"x")], [])})
        assert fetch(network)[1].data == b"x", code


def test_access_violation_is_no_matter_of_options_and_not_a_missing_file():
    network = Network({HOST: script([error_packet(2, b"Access denied")], [data_packet(1, b"x")])})
    error = fails(network, BadTransfer)
    assert "error 2, 'Access denied'" in str(error) and len(network.sent) == 1


def test_options_agreed_but_no_block_passes_is_tried_without():
    """A path with a smaller MTU drops the large blocks and nothing else."""
    server = Server({"file": body(3000)})

    def transmit(network, packet, to, sender):
        if len(packet) <= 1000:
            network.deliver(packet, to, sender)

    server.transmit = transmit
    transfer, sink = fetch(Network({HOST: server}))
    assert sink.data == body(3000) and transfer.options == {}
    assert sink.begun == [3000, None], "the sink starts over"


def test_log_tells_of_a_server_that_is_asked_without_options():
    lines = []
    error = fails(Network({HOST: script([error_packet(8)], [])}), BadTransfer, log=lines.append)
    assert lines == ["file from 192.0.2.1:69: the server says: error 8; asking again without options"]
    assert str(error) == "file from 192.0.2.1:69: the server says: error 8", "silence afterwards tells less"


# ---------------------------------------------------------------------- loss, copies, order


def test_lost_request_is_sent_again_after_growing_times():
    times = []

    def server(network, packet, source, address):
        times.append(network.now)
        if len(times) == 4:
            network.deliver(data_packet(1, b"x"), source, (address[0], 5000))

    network = Network({HOST: server}, start=0)
    fetch(network)
    assert repeated(network) == 3
    # Each wait is lengthened by half of an eighth, as the simulated random number says.
    assert times[:4] == [1, 1063, 3188, 7438]


def test_lost_acknowledgement_is_repeated_by_our_timer():
    """The server sends nothing of its own accord: ACK 1 is lost, repeated after the timeout."""
    network = Network({HOST: script([data_packet(1, body(512))], [], [data_packet(2, b"x")], [])})
    _, sink = fetch(network)
    assert sink.data == body(512) + b"x" and repeated(network) == 1
    assert received(network)[1:] == [ACK1, ACK1, ACK2]


def test_duplicates_are_dropped_and_breed_nothing():
    """Every block comes three times, and an old one again: one ACK a block."""
    one, two, three = data_packet(1, body(512)), data_packet(2, body(512)), data_packet(3, b"end")
    network = Network({HOST: script([one, one, one], [two, one, two], [three, one, two], [])})
    transfer, sink = fetch(network)
    assert sink.data == body(512) * 2 + b"end" and transfer.blocks == 3
    assert received(network)[1:] == [ACK1, ACK2, b"\x00\x04\x00\x03"]


def test_late_copy_tells_of_a_lost_acknowledgement():
    """When our own timer has grown, the server's is faster: its copies are answered, at most two a timeout."""

    def server(network, packet, source, address):
        here = (address[0], 5000)
        if packet[1] == 1:
            network.deliver(data_packet(1, body(512)), source, here)
            for late in (100, 499, 520, 600, 1000, 1030):
                network.deliver(data_packet(1, body(512)), source, here, late)

    network = Network({HOST: server}, start=0)
    times = []
    network.servers[HOST] = lambda *event: (times.append(network.now), server(*event))
    client = tftp.Client(network, network, network)
    raises(Stalled, run, client.fetch((HOST, 69), "file", Sink(), 1000, FOREVER))
    # The request, ACK 1, the answer to the copy of 521, our own timer. Then 1031 is too early again.
    assert times[:4] == [1, 3, 522, 1003], times
    assert times[4] > 3000, times


def test_repeated_option_acknowledgement_is_ignored():
    first = oack((b"tsize", b"3"))
    network = Network({HOST: script([first, first], [first, data_packet(1, b"abc")], [])})
    assert fetch(network)[1].data == b"abc"
    assert received(network)[1:] == [ACK0, ACK1]


def test_gap_in_a_window_is_told_once():
    blocks = [data_packet(n, body(8)) for n in range(6)]
    server = script(
        [oack((b"blksize", b"8"), (b"windowsize", b"5"))],
        [blocks[1], blocks[2], blocks[4], blocks[5]],  # 3 is lost
        [blocks[3], blocks[4], blocks[5], data_packet(6, body(8)), data_packet(7, b"")],
        [],
    )
    network = Network({HOST: server})
    _, sink = fetch(network)
    assert sink.data == body(8) * 6 and repeated(network) == 0
    assert [packet[3] for packet in received(network)[1:]] == [0, 2, 7]


def test_reordered_window_is_put_right():
    blocks = [data_packet(n, body(8 + n)[n:]) for n in range(5)]
    server = script(
        [oack((b"blksize", b"8"), (b"windowsize", b"4"))],
        [blocks[2], blocks[1], blocks[4], blocks[3]],
        [blocks[1], blocks[2], blocks[3], blocks[4]],
        [data_packet(5, b"")],
        [],
    )
    network = Network({HOST: server})
    _, sink = fetch(network)
    assert sink.data == b"".join([block[4:] for block in blocks[1:]])


def test_end_of_a_window_lost_is_asked_for_by_the_timer():
    server = Server({"file": body(100)})
    lost = [data_packet(3, body(100)[16:24])]

    def transmit(network, packet, to, sender):
        if packet in lost:
            lost.remove(packet)
        else:
            network.deliver(packet, to, sender)

    server.transmit = transmit
    network = Network({HOST: server})
    _, sink = fetch(network, block_size=8, window=3, timeout=500)
    assert sink.data == body(100)
    assert [packet[3] for packet in received(network)[1:]] == [0, 2, 5, 8, 11, 13], "the new window starts there"


def test_packet_from_elsewhere_gets_error_5_and_changes_nothing():
    def server(network, packet, source, address):
        if packet[1] == 1:
            network.deliver(data_packet(1, b"evil"), source, ("203.0.113.5", 69))
            network.deliver(data_packet(1, body(512)), source, (HOST, 5000), 2)
            network.deliver(data_packet(2, b"evil"), source, (HOST, 5001), 3)  # the right host, another port
            network.deliver(error_packet(1), source, (HOST, 5002), 4)
        elif packet == ACK1:
            network.deliver(data_packet(2, b"end"), source, (HOST, 5000), 5)

    network = Network({HOST: server})
    _, sink = fetch(network)
    assert sink.data == body(512) + b"end"
    told = [address for packet, address in network.sent if packet[:4] == b"\x00\x05\x00\x05"]
    assert told == [("203.0.113.5", 69), (HOST, 5001)], "and none to an ERROR"


# ---------------------------------------------------------------------- wrap-round


def wrap_script(first_numbers, second_numbers):
    """A lockstep server without timer: block numbers after 65535, before and after the client repeats ACK 65535.
    (server, [how often that ACK came])"""
    came = [0]

    def server(network, packet, source, address):
        here = (address[0], 5000)
        if packet[1] == 1:
            network.deliver(oack((b"blksize", b"8")), source, here)
        elif packet[1] == 4:
            number = packet[2] << 8 | packet[3]
            if number < 65535 and not came[0]:
                network.deliver(data_packet(number + 1, b"12345678"), source, here)
            elif number == 65535:
                for next_number in second_numbers if came[0] else first_numbers:
                    network.deliver(data_packet(next_number, b"end"), source, here)
                came[0] += 1

    return server, came


def run_wrap(first_numbers, second_numbers):
    server, came = wrap_script(first_numbers, second_numbers)
    network = Network({HOST: server})
    client = tftp.Client(network, network, network, block_size=8, window=1, deadline=1000000)
    sink = Counter()
    transfer = run(client.fetch((HOST, 69), "file", sink, 1 << 20, FOREVER))
    client.close()
    assert sink.count == transfer.size
    return transfer, came[0]


def test_block_numbers_wrap_to_zero():
    transfer, acknowledged = run_wrap([0], [])
    assert (transfer.size, acknowledged) == (65535 * 8 + 3, 1)


def test_block_numbers_wrap_to_one_when_the_server_insists():
    transfer, acknowledged = run_wrap([1], [1])
    assert (transfer.size, acknowledged) == (65535 * 8 + 3, 2), "asked a second time"


def test_stray_copy_of_block_one_is_not_taken_for_a_wrap():
    transfer, _ = run_wrap([1], [0])
    assert transfer.size == 65535 * 8 + 3 and transfer.blocks == 65536
