# SPDX-License-Identifier: MIT
"""Shared by the tests of the TFTP client: two addresses, a fetch that succeeds, a fetch that fails, a scripted server."""

from agent.fetch.tftp import client as tftp
from tests.helpers.agent.both import raises, run
from tests.helpers.agent.tftp_network import Sink

HOST = "192.0.2.1"
SECOND = "192.0.2.2"


def body(size):
    """Bytes that differ from block to block."""
    return bytes([(n * 7 + (n >> 9)) & 0xFF for n in range(size)])


#: A deadline that no test reaches.
FOREVER = 1 << 40


def fetch(network, name="file", limit=1 << 20, deadline_at=FOREVER, **settings):
    """Fetch from HOST with a client of its own; (Transfer, Sink)."""
    sink = Sink()
    client = tftp.Client(network, network, network, **settings)
    transfer = run(client.fetch((HOST, 69), name, sink, limit, deadline_at))
    client.close()
    assert network.open_sockets == 0
    return transfer, sink


def fails(network, error, limit=1 << 20, sink=None, deadline_at=FOREVER, **settings):
    """Fetch from HOST where it must fail; the error."""
    client = tftp.Client(network, network, network, **settings)
    found = raises(error, run, client.fetch((HOST, 69), "file", sink or Sink(), limit, deadline_at))
    assert network.open_sockets == 0, "a failed transfer leaves no socket"
    return found


def script(*answers):
    """A server that has one answer (list of packets) for each packet it gets but ERRORs, from port 5000."""
    left = list(answers)

    def server(network, packet, source, address):
        if packet[1] != 5 and left:
            for answer in left.pop(0):
                network.deliver(answer, source, (address[0], 5000))

    return server


def received(network):
    """What the client sent, without addresses."""
    return [packet for packet, _ in network.sent]


ACK0, ACK1, ACK2 = b"\x00\x04\x00\x00", b"\x00\x04\x00\x01", b"\x00\x04\x00\x02"


class Counter:
    """A sink that only counts bytes."""

    def begin(self, size):
        self.count = 0

    def write(self, block):
        self.count += len(block)
