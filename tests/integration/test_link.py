# SPDX-License-Identifier: MIT
"""host_tools/link: two ends are connected by a line with delay and faults, and reach nothing else of the machine."""

import socket
import threading
import time

import pytest

from host_tools.link import Faults, Link, LinkError
from host_tools.link.relay import FAULTS

PACKETS = 200
PATIENCE = 30  # s until a test fails


@pytest.fixture
def line():
    """line(faults): a Link, closed after the test."""
    made = []

    def make(faults):
        try:
            made.append(Link(faults))
        except LinkError as error:
            pytest.skip(f"no network of our own here: {error}")
        return made[-1]

    yield make
    for link in made:
        link.close()


def datagrams(namespace):
    """A socket of that end."""
    with namespace:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((namespace.address, 0))
    made.settimeout(PATIENCE)
    return made


def test_a_packet_takes_the_delay_there_and_back(line):
    link = line(Faults(delay=0.02))
    near, far = datagrams(link.near), datagrams(link.far)
    begun = time.monotonic()
    near.sendto(b"question", far.getsockname())
    data, source = far.recvfrom(100)
    assert time.monotonic() - begun >= 0.02
    far.sendto(data, source)
    assert near.recv(100) == b"question"
    assert time.monotonic() - begun >= 0.04
    near.close(), far.close()


def test_a_stream_arrives_whole_over_a_line_with_every_fault(line):
    link = line(Faults.each(0.05))
    content = bytes(range(256)) * 400
    with link.far:
        listening = socket.create_server((link.far.address, 0))

    def serve():
        connection, _ = listening.accept()
        with connection:
            connection.sendall(content)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    with link.near, socket.create_connection(listening.getsockname(), PATIENCE) as connection:
        received = b""
        while data := connection.recv(65536):
            received += data
    server.join(PATIENCE)
    listening.close()
    assert received == content


def test_each_fault_happens_and_is_counted(line):
    link = line(Faults.each(0.2))
    near, far = datagrams(link.near), datagrams(link.far)
    arrived = []
    for number in range(PACKETS):
        near.sendto(b"%d" % number, far.getsockname())
    far.settimeout(1)
    try:
        while True:
            arrived.append(int(far.recv(100)))
    except TimeoutError:
        pass
    link.close()
    near.close(), far.close()
    assert link.counts["passed"] >= PACKETS  # and the question for the hardware address, with its answer
    for fault in FAULTS:
        assert 10 < link.counts[fault] < PACKETS / 2, link.counts
    assert set(range(PACKETS)) - set(arrived), "none was lost"
    assert len(set(arrived)) < len(arrived), "none came twice"
    assert arrived != sorted(arrived), "none was overtaken"


def test_the_ends_see_each_other_and_nothing_of_the_machine(line):
    link = line(Faults())
    with socket.create_server(("127.0.0.1", 0)) as outside:
        for end in (link.near, link.far):
            with end, pytest.raises(OSError):
                socket.create_connection(outside.getsockname(), 1)
        socket.create_connection(outside.getsockname(), 1).close()  # out of the block: here again
