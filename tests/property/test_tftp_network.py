# SPDX-License-Identifier: MIT
"""The TFTP client on networks that lose, repeat and reorder: the whole file or an error, within bounds."""

import random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from agent.fetch.errors import BadTransfer, FetchError, NoServer
from agent.fetch.tftp import client as tftp
from agent.fetch.tftp import packet as tftp_packet
from tests.helpers.agent import both
from tests.helpers.agent.tftp_cases import FOREVER, HOST, body
from tests.helpers.agent.tftp_network import Network, Server, Sink, oack

DEADLINE = 60000
OPTIONS = ("blksize", "tsize", "timeout", "windowsize")


class Weather:
    """What happens to each packet, from drawn numbers: lost, delivered once, twice, late. Fine when they run out."""

    def __init__(self, fates):
        self._fates = iter(fates)

    def send(self, network, packet, to, sender):
        """Puts the packet on its way as its fate is."""
        for delay in next(self._fates, (1,)):
            network.deliver(packet, to, sender, delay)


class Rough(Network):
    """A network whose weather also meets what the client sends."""

    def __init__(self, servers, weather):
        Network.__init__(self, servers)
        self.weather = weather
        self.packets = 0

    def udp(self, address):
        made = Network.udp(self, address)
        source = made.address

        def send(data, address):
            self.packets += 1
            self.weather.send(self, bytes(data), address, source)

        made.send = send
        return made


def fates_of(seed, loss, copies, late):
    """Fates without end: of 100 packets, so many are lost, doubled, late by up to 3 s (older than any timer here)."""
    dice = random.Random(seed)
    while True:
        if dice.randrange(100) < loss:
            yield ()
            continue
        fate = [1]
        if dice.randrange(100) < copies:
            fate.append(dice.randrange(1, 1500))
        if dice.randrange(100) < late:
            fate[0] = dice.randrange(1, 3000)
        yield tuple(fate)


percent = st.integers(0, 40)
seeds = st.integers(0, 1 << 32)
known_options = st.sets(st.sampled_from(OPTIONS)).map(sorted)
# No loss, only copies and changed order within what a window survives without a timer.
jumbled = st.lists(st.lists(st.integers(1, 20), min_size=1, max_size=3).map(tuple), max_size=200)


def run(fates, size, window, known, deadline=DEADLINE, server_attempts=8, **settings):
    server = Server({"file": body(size)}, known)
    server.attempts = server_attempts
    weather = Weather(fates)
    server.transmit = weather.send
    network = Rough({HOST: server}, weather)
    client = tftp.Client(network, network, network, block_size=8, window=window, deadline=deadline, **settings)
    sink = Sink()
    start = network.now
    try:
        transfer = both.run(client.fetch((HOST, 69), "file", sink, size, FOREVER))
    except FetchError as error:
        transfer = error
    client.close()
    assert network.open_sockets == 0
    assert network.now - start <= deadline
    return network, transfer, sink


@given(seeds, percent, percent, percent, st.integers(0, 600), st.integers(1, 20), known_options)
@settings(max_examples=300)
def test_whole_or_an_error(seed, loss, copies, late, size, window, known):
    network, transfer, sink = run(fates_of(seed, loss, copies, late), size, window, known)
    if isinstance(transfer, tftp.Transfer):
        event("arrived")
        assert sink.data == body(size)
        assert transfer.size == size
        assert transfer.blocks == size // transfer.options.get("blksize", 512) + 1
    else:
        event(type(transfer).__name__)
        # A file that is there and within the limit is only ever missed because packets were lost.
        assert isinstance(transfer, NoServer | BadTransfer), transfer
        assert "192.0.2.1:69" in str(transfer)


@given(seeds, st.integers(0, 20), percent, percent, st.integers(0, 600), st.integers(1, 20), known_options)
@settings(max_examples=100)
def test_with_time_every_file_arrives(seed, loss, copies, late, size, window, known):
    network, transfer, sink = run(
        fates_of(seed, loss, copies, late), size, window, known, deadline=3600000, attempts=30, server_attempts=100
    )
    assert isinstance(transfer, tftp.Transfer), transfer
    assert sink.data == body(size)


@given(jumbled, st.integers(0, 600), st.integers(1, 20))
@settings(max_examples=200)
def test_copies_and_changed_order_alone_never_fail(fates, size, window):
    network, transfer, sink = run(fates, size, window, OPTIONS)
    assert isinstance(transfer, tftp.Transfer), transfer
    assert sink.data == body(size)


@given(st.integers(2, 4), st.integers(0, 400), st.sampled_from([(), OPTIONS]))
def test_copies_of_everything_do_not_multiply(copies, size, known):
    """The Sorcerer's Apprentice: with every packet repeated, the client sends what it sends without, give or take the
    ERROR 5 for the transfers that copies of its request started, and one ACK more a block where a gap seemed to be."""
    network, transfer, sink = run([tuple(range(1, copies + 1))] * 5000, size, 1, known)
    assert sink.data == body(size)
    errors = 4 * copies * copies  # strangers: copies of the request, each answered, each answer copied
    assert network.packets <= 2 + transfer.blocks + errors, (network.packets, transfer.blocks)


packet_bytes = st.one_of(
    st.binary(max_size=40),
    st.binary(max_size=30).map(lambda tail: b"\x00\x03\x00\x01" + tail),
    st.binary(max_size=30).map(lambda tail: b"\x00\x05" + tail),
    st.lists(st.tuples(st.sampled_from([b"tsize", b"blksize", b"windowsize", b"x"]), st.binary(max_size=4))).map(
        lambda fields: oack(*fields)
    ),
)


@given(st.lists(packet_bytes, max_size=6))
@settings(max_examples=300)
def test_arbitrary_packets_end_in_a_file_or_a_named_error(answers):
    left = list(answers)

    def server(network, packet, source, address):
        if packet[1] != 5 and left:
            network.deliver(left.pop(0), source, (HOST, 5000))

    network = Network({HOST: server})
    client = tftp.Client(network, network, network)
    sink = Sink()
    try:
        assert both.run(client.fetch((HOST, 69), "file", sink, 100, FOREVER)).size == len(sink.data) <= 100
    except FetchError as error:
        assert error.file == "file" and error.server == "192.0.2.1:69"
        assert str(error).isprintable() and len(str(error)) < 250
    client.close()
    assert network.open_sockets == 0
    assert network.now < 1000 + 120000


@given(st.binary(max_size=200))
def test_words_of_servers_are_printable_and_short(data):
    text = tftp_packet.printable(data)
    assert text.isascii() and len(text) <= 80 and (not text or text.isprintable())
