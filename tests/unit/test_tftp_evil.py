# SPDX-License-Identifier: MIT
"""The TFTP client against servers that lie, dawdle, babble or break off: an error that names server, file and cause, in
bounded time, and an ERROR packet that stops the server."""

from agent.fetch.errors import BadTransfer, NoServer, Stalled, TooLarge
from tests.helpers.agent.tftp_cases import (
    ACK0,
    ACK1,
    HOST,
    SECOND,
    Counter,
    body,
    fails,
    fetch,
    received,
    script,
)
from tests.helpers.agent.tftp_network import Network, Server, Sink, data_packet, error_packet, oack

WHO = "file from 192.0.2.1:69: "


def check(answers, cause, error=BadTransfer, code=None, limit=1 << 20, **settings):
    """A server with these answers fails with this cause, `code` is the ERROR it gets."""
    network = Network({HOST: script(*answers)})
    found = fails(network, error, limit, **settings)
    assert str(found) == WHO + cause, str(found)
    assert found.server == "192.0.2.1:69" and found.file == "file" and found.cause == cause
    assert type(found) is error, "so that the next file knows whether this server costs time"
    told = [packet[3] for packet in received(network) if packet[1] == 5]
    assert (told[-1] if told else None) == code, told


def test_fewer_bytes_than_announced():
    answers = [oack((b"tsize", b"600"))], [data_packet(1, body(512))], [data_packet(2, b"short")]
    check(answers, "announced with 600 bytes, ended after 517", code=0)


def test_more_bytes_than_announced_never_reach_the_sink():
    answers = [oack((b"tsize", b"600"))], [data_packet(1, body(512))], [data_packet(2, body(512))]
    check(answers, "announced with 600 bytes, sent more", code=3)
    sink = Sink()
    fails(Network({HOST: script(*answers)}), BadTransfer, sink=sink)
    assert len(sink.data) == 512


def test_lie_in_the_very_first_block_is_no_reason_to_ask_without_sizes():
    for announced, block, cause in ((9, b"", "ended after 0"), (9, b"short", "ended after 5"), (1, b"no", "sent more")):
        network = Network(
            {HOST: script([oack((b"tsize", b"%d" % announced))], [data_packet(1, block)], [data_packet(1, block)])}
        )
        error = fails(network, BadTransfer)
        assert error.cause.endswith(cause), error.cause
        assert len([packet for packet in received(network) if packet[1] == 1]) == 1


def test_an_announced_size_of_0_announces_nothing():
    # Some servers repeat the 0 of the request, because they do not know the size.
    answers = [oack((b"tsize", b"0"))], [data_packet(1, body(512))], [data_packet(2, b"end")]
    transfer, sink = fetch(Network({HOST: script(*answers)}))
    assert transfer.announced is None and sink.begun == [None]
    assert sink.data == body(512) + b"end"
    assert fetch(Network({HOST: script(answers[0], [data_packet(1, b"")])}))[0].size == 0
    check(answers, "more than the limit of 514 bytes", TooLarge, 3, limit=514)


def test_announced_over_the_limit():
    check([[oack((b"tsize", b"11"))]], "announced with 11 bytes, the limit is 10", TooLarge, 3, limit=10)
    sink = Sink()
    fails(Network({HOST: Server({"file": body(11)})}), TooLarge, 10, sink=sink)
    assert sink.begun == [], "nothing begins that cannot end well"


def test_limit_is_inclusive():
    for options in (True, False):
        for size in (511, 512, 513):
            network = Network({HOST: Server({"file": body(size)})})
            assert fetch(network, limit=size, options=options)[0].size == size
            fails(network, TooLarge, size - 1, options=options)


def test_more_than_the_limit_unannounced():
    answers = [data_packet(1, body(512))], [data_packet(2, body(512))]
    check(answers, "more than the limit of 1000 bytes", TooLarge, 3, limit=1000)


def test_server_that_never_ends():
    def endless(network, packet, source, address):
        if packet[1] != 5:
            number = (packet[2] << 8 | packet[3]) + 1 if packet[1] == 4 else 1
            network.deliver(data_packet(number, body(512)), source, (address[0], 5000))

    sink = Counter()
    network = Network({HOST: endless})
    error = fails(network, TooLarge, 100000, sink=sink)
    assert error.cause == "more than the limit of 100000 bytes" and sink.count <= 100000
    error = fails(network, Stalled, 1 << 40, sink=sink, deadline=1000)
    assert "not complete after 1 s" in error.cause


def test_server_that_drips():
    """A block every 900 ms, just before each timeout."""

    def drip(network, packet, source, address):
        if packet[1] != 5:
            number = (packet[2] << 8 | packet[3]) + 1 if packet[1] == 4 else 1
            network.deliver(data_packet(number, body(512)), source, (address[0], 5000), 900)

    network = Network({HOST: drip}, start=0)
    error = fails(network, Stalled, deadline=10000)
    assert error.cause == "not complete after 10 s (5632 bytes arrived)"
    assert 10000 <= network.now < 10010


def test_deadline_covers_both_requests_to_a_server():
    def slow(network, packet, source, address):
        if packet[:2] == b"\x00\x01":
            network.deliver(error_packet(8), source, (address[0], 5000), 900)

    network = Network({HOST: slow}, start=0)
    error = fails(network, BadTransfer, deadline=1500)
    assert error.cause == "the server says: error 8" and network.now <= 1500


def test_server_that_repeats_one_block_for_ever():
    """Packets without progress do not feed the timer, and of fifty copies a second at most two are answered."""

    def stuck(network, packet, source, address):
        if packet[1] != 5:
            for n in range(50):
                network.deliver(data_packet(1, body(512)), source, (address[0], 5000), 20 * n + 1)

    network = Network({HOST: stuck}, start=0)
    error = fails(network, Stalled)
    assert error.cause == "block 2 never came, 512 bytes arrived"
    assert received(network)[-1] == b"\x00\x05\x00\x00transfer refused\x00"
    assert received(network)[1:-1] == [ACK1] * (len(network.sent) - 2) and len(network.sent) < 2 + 2 * 20
    assert network.now < 20000


def test_server_that_breaks_off():
    check([[data_packet(1, body(512))]], "block 2 never came, 512 bytes arrived", Stalled, code=0)
    check([[oack((b"tsize", b"9"))]], "block 1 never came, 0 bytes arrived", Stalled, code=0)


def test_server_that_goes_on_from_another_port():
    def moving(network, packet, source, address):
        if packet[1] == 1:
            network.deliver(data_packet(1, body(512)), source, (HOST, 5000))
        elif packet == ACK1:
            network.deliver(data_packet(2, b"end"), source, (HOST, 5001))

    error = fails(Network({HOST: moving}), BadTransfer)
    assert str(error) == WHO + "block 2 never came, 512 bytes arrived; packets came from 192.0.2.1:5001"


def test_server_that_answers_from_another_host():
    def elsewhere(network, packet, source, address):
        if packet[1] == 1:
            network.deliver(data_packet(1, b"x"), source, (SECOND, 69))

    error = fails(Network({HOST: elsewhere}), NoServer)
    assert str(error) == WHO + "no answer; requests sent: 4; packets came from 192.0.2.2:69"


def test_error_in_the_middle_is_no_missing_file():
    for code in (0, 1, 2, 3, 8):
        answers = [data_packet(1, body(512))], [error_packet(code, b"gone")]
        check(answers, "the server says: error %d, 'gone'" % code)


def test_words_of_a_server_are_made_harmless():
    words = b"\x1b[2J\r\nevil \xff" + b"x" * 400
    error = fails(Network({HOST: script([error_packet(2, words)])}), BadTransfer)
    assert error.cause == "the server says: error 2, '?[2J??evil ?" + "x" * 65 + "...'"
    for packet, shown in ((b"\x00\x05\x00\x02no nul", ", 'no nul'"), (b"\x00\x05\x00\x02", "")):
        error = fails(Network({HOST: script([packet])}), BadTransfer)
        assert error.cause == "the server says: error 2" + shown


# ---------------------------------------------------------------------- packets that are none

GARBAGE = (
    (b"", "0 bytes, empty"),
    (b"\x00", "1 bytes, 00"),
    (b"\x00\x03", "2 bytes, 00 03"),
    (b"\x00\x03\x00", "3 bytes, 00 03 00"),
    (b"\x00\x05\x00", "3 bytes, 00 05 00"),
    (b"\x00\x00\x00\x01", "4 bytes, 00 00 00 01"),
    (b"\x00\x01file\x00octet\x00", "13 bytes, 00 01 66 69 6c 65 00 6f"),
    (b"\x00\x02file\x00octet\x00", "13 bytes, 00 02 66 69 6c 65 00 6f"),
    (b"\x00\x04\x00\x01", "4 bytes, 00 04 00 01"),
    (b"\x00\x07\x00\x01", "4 bytes, 00 07 00 01"),
    (b"\x01\x03\x00\x01x", "5 bytes, 01 03 00 01 78"),
    (b"HTTP/1.1 400 Bad Request", "24 bytes, 48 54 54 50 2f 31 2e 31"),
)


def test_garbage_as_the_first_answer():
    for packet, shown in GARBAGE + ((data_packet(2, b"x"), "5 bytes, 00 03 00 02 78"),):
        cause = "not a TFTP packet that fits here: " + shown
        check([[packet], [packet]], cause, code=4)
        check([[packet]], cause, code=4, options=False)


def test_garbage_in_the_middle():
    for packet, shown in GARBAGE:
        answers = [data_packet(1, body(512))], [packet]
        check(answers, "not a TFTP packet that fits here: " + shown, code=4)


def test_option_acknowledgement_to_a_plain_request_is_garbage():
    packet = oack((b"tsize", b"1"))
    cause = "not a TFTP packet that fits here: 10 bytes, 00 06 74 73 69 7a 65 00"
    check([[packet]], cause, code=4, options=False)
    check([[data_packet(1, body(512))], [packet]], cause, code=4, options=False)


def test_block_that_is_longer_than_agreed():
    cause = "a block of more than the 512 bytes agreed"
    check([[data_packet(1, body(513))]] * 2, cause, code=4)
    check([[data_packet(1, body(512))], [data_packet(2, body(2000))]], cause, code=4)
    first = [oack((b"blksize", b"8"))]
    check([first, [data_packet(1, body(9))]], "a block of more than the 8 bytes agreed", code=4, attempts=1)


BAD_OPTIONS = (
    (oack((b"blksize", b"1429")), "blksize 1429 where 1428 was asked for"),
    (oack((b"blksize", b"7")), "blksize 7 where 1428 was asked for"),
    (oack((b"blksize", b"0")), "blksize 0 where 1428 was asked for"),
    (oack((b"blksize", b"-8")), "blksize '-8' is not a number"),
    (oack((b"blksize", b"")), "blksize '' is not a number"),
    (oack((b"blksize", b"0x200")), "blksize '0x200' is not a number"),
    (oack((b"blksize", b"1 ")), "blksize '1 ' is not a number"),
    (oack((b"blksize", b"\xc2\xb2")), "blksize '??' is not a number"),
    (oack((b"tsize", b"9" * 16)), "tsize '9999999999999999' is not a number"),
    (oack((b"tsize", b"x" * 300)), "tsize '" + "x" * 77 + "...' is not a number"),
    (oack((b"windowsize", b"49")), "windowsize 49 where 48 was asked for"),
    (oack((b"windowsize", b"0")), "windowsize 0 where 48 was asked for"),
    (oack((b"timeout", b"2")), "timeout 2 where 1 was asked for"),
    (oack((b"tsize", b"1"), (b"TSIZE", b"1")), "option tsize comes twice"),
    (oack((b"multicast", b"224.0.0.1,1758,1")), "option 'multicast' was not asked for"),
    (oack((b"", b"1")), "option '' was not asked for"),
    (b"\x00\x06tsize\x00", "the list of options is malformed"),
    (b"\x00\x06tsize\x001", "the list of options is malformed"),
    (b"\x00\x06\x00", "the list of options is malformed"),
    (b"\x00\x06x", None),
)


def test_bad_option_acknowledgement_is_refused_and_plain_tried():
    for packet, fault in BAD_OPTIONS:
        network = Network({HOST: script([packet], [data_packet(1, b"plain")], [])})
        transfer, sink = fetch(network)
        assert sink.data == b"plain" and transfer.options == {}, fault
        refusal = received(network)[1]
        assert refusal[:4] == (b"\x00\x05\x00\x08" if fault and len(packet) > 3 else b"\x00\x05\x00\x04"), fault
        if fault and len(packet) > 3:
            network = Network({HOST: script([packet])})
            error = fails(network, BadTransfer)
            assert error.cause == "bad option acknowledgement: " + fault, error.cause


def test_longest_option_acknowledgement_does_not_fit_by_accident():
    """A packet as long as the buffer was cut: its options cannot be trusted."""
    packet = oack((b"tsize", b"1")) + b"x" * 2000
    error = fails(Network({HOST: script([packet])}), BadTransfer)
    assert error.cause == "bad option acknowledgement: the list of options is malformed"


def test_blocks_of_a_window_beyond_the_next_one_are_no_gap():
    first = oack((b"blksize", b"8"), (b"windowsize", b"2"))
    far = [data_packet(n, body(8)) for n in (3, 4, 100, 65535)]
    network = Network({HOST: script([first], far, [])})
    error = fails(network, BadTransfer, attempts=2)
    assert error.cause == "block 1 never came, 0 bytes arrived"
    acks = [packet for packet in received(network) if packet[1] == 4]
    assert acks == [ACK0, ACK0], "one for the options, one by the timer"
