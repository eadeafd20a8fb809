# SPDX-License-Identifier: MIT
"""TFTP servers that misbehave on real sockets: each fails with an error that names it, then atftpd has the file."""

import asyncio
import socket
import threading

import pytest

from agent.fetch.errors import BadTransfer, FetchError, NoServer, Stalled, TooLarge
from agent.fetch.fetcher import Fetcher
from agent.fetch.tftp.client import Client
from hal.host import Hal
from host_tools.lab.servers import daemons as tftp_daemons
from tests.helpers.agent.tftp_network import data_packet, error_packet, oack

CONTENT = b"what the good server has"
FULL = bytes(512)
REQUEST, ACK, ERROR = 1, 4, 5


class EvilServer:
    """Runs behave(server, packet, client) in a thread for each packet that comes, until stopped. `told`: the codes of
    the ERROR packets that it got."""

    def __init__(self, behave):
        self._behave = behave
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.listening = _socket()
        self.transfer = _socket()
        self.told = []
        self.got_error = threading.Event()
        self.address = self.listening.getsockname()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)
        self.listening.close()
        self.transfer.close()

    def _run(self):
        while not self._stop.is_set():
            for each in (self.listening, self.transfer):
                try:
                    packet, client = each.recvfrom(2000)
                except OSError:
                    continue
                if packet[1] == ERROR:
                    self.told.append(packet[3])
                    self.got_error.set()
                else:
                    self._behave(self, packet, client)


def _socket():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(0.005)
    return made


def number_of(packet):
    """The block that an ACK asks for; 1 for a request."""
    return (int.from_bytes(packet[2:4], "big") + 1) & 0xFFFF if packet[1] == ACK else 1


def silent(server, packet, client):
    """Never answers."""


def ends_early(server, packet, client):
    """Announces more than it sends."""
    answer = oack((b"tsize", b"1000")) if packet[1] == REQUEST else data_packet(1, b"short")
    server.transfer.sendto(answer, client)


def sends_more(server, packet, client):
    """Announces less than it sends."""
    answer = oack((b"tsize", b"600")) if packet[1] == REQUEST else data_packet(number_of(packet), FULL)
    server.transfer.sendto(answer, client)


def never_ends(server, packet, client):
    """One full block after the other."""
    server.transfer.sendto(data_packet(number_of(packet), FULL), client)


def changes_port(server, packet, client):
    """Block 1 from one port, block 2 from another."""
    from_where = server.transfer if packet[1] == REQUEST else server.listening
    from_where.sendto(data_packet(number_of(packet), FULL), client)


def goes_away(server, packet, client):
    """Closes its port after the first block: the system answers for it with ICMP."""
    if packet[1] == REQUEST:
        server.transfer.sendto(data_packet(1, FULL), client)
        server.transfer.close()
        server.transfer = _socket()


def breaks_off(server, packet, client):
    """An ERROR in the middle."""
    answer = data_packet(1, FULL) if packet[1] == REQUEST else error_packet(1, b"lost it\x1b[31m")
    server.transfer.sendto(answer, client)


def babbles(server, packet, client):
    """Packets that are not TFTP."""
    server.transfer.sendto(b"SIP/2.0 400 Bad Request\r\n\r\n", client)


def lies_about_options(server, packet, client):
    """Larger blocks than asked for; and the same for a plain request."""
    server.transfer.sendto(oack((b"blksize", b"65464")), client)


def repeats(server, packet, client):
    """The same block again and again."""
    for _ in range(20):
        server.transfer.sendto(data_packet(1, FULL), client)


CASES = (
    (silent, NoServer, "no answer; requests sent: 3", None),
    (ends_early, BadTransfer, "announced with 1000 bytes, ended after 5", 0),
    (sends_more, BadTransfer, "announced with 600 bytes, sent more", 3),
    (never_ends, TooLarge, "more than the limit of 5000 bytes", 3),
    (changes_port, Stalled, "block 2 never came, 512 bytes arrived; packets came from 127.0.0.1:", 5),
    (goes_away, Stalled, "block 2 never came, 512 bytes arrived", None),
    (breaks_off, BadTransfer, "the server says: error 1, 'lost it?[31m'", None),
    (babbles, BadTransfer, "not a TFTP packet that fits here: 27 bytes, 53 49 50 2f 32 2e 30 20", 4),
    (lies_about_options, BadTransfer, "not a TFTP packet that fits here: 16 bytes, 00 06 62 6c 6b 73 69 7a", 8),
    (repeats, Stalled, "block 2 never came, 512 bytes arrived", 0),
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good") / "files"
    folder.mkdir()
    (folder / "file").write_bytes(CONTENT)
    try:
        with tftp_daemons.Atftpd(folder) as server:
            yield server
    except tftp_daemons.CannotStart as cause:
        pytest.fail(str(cause))


class Bytes:
    """A sink that keeps what comes."""

    def begin(self, size):
        self.data = b""

    def write(self, block):
        self.data += block


def fetch(servers, **settings):
    """(Fetched, the bytes) of the first of these servers that has the file."""
    hal, sink = Hal(), Bytes()
    client = Client(hal.net, hal.clock, hal.random, timeout=200, attempts=3, **settings)
    fetcher = Fetcher(client, None, servers, hal.clock)
    fetcher.begin(hal.clock.monotonic() + 60000)
    try:
        return asyncio.run(fetcher.fetch("file", sink, 5000)), sink.data
    finally:
        client.close()


@pytest.mark.parametrize("behave, error, cause, code", CASES, ids=lambda value: getattr(value, "__name__", None))
def test_error_names_it_and_the_next_server_is_asked(good, behave, error, cause, code):
    with EvilServer(behave) as evil:
        where = f"file from 127.0.0.1:{evil.address[1]}: "
        with pytest.raises(FetchError) as found:
            fetch([evil.address])
        assert type(found.value) is error
        assert str(found.value).startswith(where + cause)
        if code is not None:
            assert evil.got_error.wait(10) and code in evil.told
        fetched, data = fetch([evil.address, good.address])
        assert data == CONTENT and fetched.server == good.address
        assert [type(each) for each in fetched.failures] == [error]


def test_drip_is_stopped_by_the_deadline(good):
    """A block just before each timeout, until the client stops it."""
    pause = threading.Event()

    def drips(server, packet, client):
        pause.wait(0.1)
        server.transfer.sendto(data_packet(number_of(packet), bytes(512)), client)

    with EvilServer(drips) as evil:
        with pytest.raises(Stalled, match="not complete after 1 s"):
            fetch([evil.address], deadline=1000)
        fetched, data = fetch([evil.address, good.address], deadline=1000)
        assert data == CONTENT and fetched.server == good.address


def test_stranger_is_told_and_the_transfer_goes_on():
    """Another sender on this machine sends blocks too: it gets ERROR 5 for each, and the file is the server's."""
    stranger = _socket()

    def with_stranger(server, packet, client):
        number = number_of(packet)
        if packet[1] == ACK:  # the first packet decides whose transfer it is; all other senders are strangers
            stranger.sendto(data_packet(number, b"evil"), client)
        server.transfer.sendto(data_packet(number, FULL if number < 5 else b"end"), client)

    with EvilServer(with_stranger) as server:
        _, data = fetch([server.address])
    assert data == FULL * 4 + b"end"
    told = [stranger.recvfrom(100)[0][:4] for _ in range(4)]
    stranger.close()
    assert told == [b"\x00\x05\x00\x05"] * 4
