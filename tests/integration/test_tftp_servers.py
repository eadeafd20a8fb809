# SPDX-License-Identifier: MIT
"""The TFTP client against tftpd-hpa, atftpd and dnsmasq: every size that is a special case somewhere."""

import asyncio
import hashlib
import random

import pytest

from agent.fetch.errors import NoServer, NotFound, TooLarge
from agent.fetch.fetcher import Fetcher
from agent.fetch.tftp.client import Client
from agent.servers.network import server_text
from hal.host import Hal
from host_tools.lab.servers import daemons as tftp_daemons

SIZES = (0, 1, 511, 512, 513, 64 << 10, 3 << 20)
PAST_WRAP = 512 * 65535 + 1  # in blocks of 512 bytes: 65,536, the last with number 0
LIMIT = 64 << 20
PATIENCE = 100000  # ms
# How the client asks. Where it asks for a window, it gets one from the server that knows windows.
WAYS = {
    "options": {},
    "options, lockstep": {"window": 1, "block_size": 1468},
    "window of 64": {"window": 64},
    "no options": {"options": False},
}


class Digest:
    """A sink that keeps the size announced, the size that came and the SHA-256."""

    def begin(self, size):
        self.announced, self.size, self._sha256 = size, 0, hashlib.sha256()

    def write(self, block):
        self.size += len(block)
        self._sha256.update(block)

    def hex(self):
        return self._sha256.hexdigest()


def make(folder, size):
    """A file of random bytes, the same in each run; its SHA-256."""
    data = random.Random(size).randbytes(size)
    (folder / f"{size}.bin").write_bytes(data)
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(folder, dict of size -> SHA-256)."""
    folder = tmp_path_factory.mktemp("tftp") / "files"
    folder.mkdir()
    digests = {size: make(folder, size) for size in (*SIZES, PAST_WRAP)}
    return folder, digests


@pytest.fixture(scope="module", params=(*tftp_daemons.ALL, tftp_daemons.TftpdHpaOnIpv6), ids=lambda kind: kind.__name__)
def server(request, files):
    try:
        with request.param(files[0]) as running:
            yield running
    except tftp_daemons.CannotStart as cause:
        pytest.fail(str(cause))


def fetch(server, name, sink, limit=LIMIT, **settings):
    """Fetch it with a client of its own; the Transfer."""
    hal = Hal()
    client = Client(hal.net, hal.clock, hal.random, **settings)
    try:
        return asyncio.run(
            client.fetch(server.address, server.name(name), sink, limit, hal.clock.monotonic() + PATIENCE)
        )
    finally:
        client.close()


def check(server, files, size, **settings):
    """Fetch it whole; the Transfer."""
    sink = Digest()
    transfer = fetch(server, f"{size}.bin", sink, **settings)
    assert transfer.size == sink.size == size
    assert sink.hex() == files[1][size]
    return transfer


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", SIZES)
def test_file_arrives_whole(server, files, size, way):
    transfer = check(server, files, size, **WAYS[way])
    if WAYS[way].get("options") is False:
        assert transfer.options == {} and transfer.announced is None
        return
    asked = {"blksize", "tsize", "timeout"} | ({"windowsize"} if WAYS[way].get("window") != 1 else set())
    assert set(transfer.options) == asked & set(server.knows), "the server agreed to all that it knows"
    assert transfer.announced == (size or None), "0 announces nothing"
    assert transfer.options["blksize"] == WAYS[way].get("block_size", 1428)
    assert transfer.blocks == size // transfer.options["blksize"] + 1


@pytest.mark.parametrize("way", [{"window": 1}, {"window": 16}, {"options": False}], ids=str)
def test_past_65535_blocks(server, files, way):
    transfer = check(server, files, PAST_WRAP, block_size=512, **way)
    assert transfer.blocks == 65536
    assert bool(transfer.options) == way.get("options", True)


def test_missing_file_is_an_answer(server):
    with pytest.raises(NotFound) as found:
        fetch(server, "ITLFile.tlv", Digest())
    assert found.value.server == server_text(server.address) and "error 1" in found.value.cause


def test_server_of_the_file_is_told_over_the_limit(server, files):
    for settings in ({}, {"options": False}):
        with pytest.raises(TooLarge) as found:
            fetch(server, "65536.bin", Digest(), 65535, **settings)
        assert "65535" in found.value.cause
    check(server, files, 513)  # the server goes on serving


def test_closed_port_then_a_server(server, files):
    """A port without a listener costs its timeouts once in a boot; then the next server has the file."""
    silent = (server.host, tftp_daemons.Server.free_port(server))
    hal, sink = Hal(), Digest()
    client = Client(hal.net, hal.clock, hal.random, timeout=20, attempts=2)
    fetcher = Fetcher(client, None, [silent, server.address], hal.clock)
    fetcher.begin(hal.clock.monotonic() + PATIENCE)

    async def twice():
        first = await fetcher.fetch(server.name("512.bin"), Digest(), LIMIT)
        fetcher.server = None  # else the one that answered is first
        return first, await fetcher.fetch(server.name("513.bin"), sink, LIMIT)

    for fetched, cause in zip(asyncio.run(twice()), ("no answer", "not asked again"), strict=True):
        assert fetched.server == server.address
        assert [type(error) for error in fetched.failures] == [NoServer] and cause in str(fetched.failures[0])
    assert sink.hex() == files[1][513]
    client.close()


def test_several_files_at_once(server, files):
    """One client, transfers that overlap: each file comes whole."""
    hal = Hal()
    client = Client(hal.net, hal.clock, hal.random)
    sizes = [*SIZES, 64 << 10, 3 << 20]
    sinks = [Digest() for _ in sizes]

    async def all_of_them():
        deadline = hal.clock.monotonic() + PATIENCE
        fetches = [
            client.fetch(server.address, server.name(f"{size}.bin"), sink, LIMIT, deadline)
            for size, sink in zip(sizes, sinks, strict=True)
        ]
        return await asyncio.gather(*fetches)

    asyncio.run(all_of_them())
    client.close()
    assert [sink.hex() for sink in sinks] == [files[1][size] for size in sizes]


REFUSING = (
    (tftp_daemons.TftpdHpa, ["-r", "blksize", "-r", "tsize"], {"timeout"}),
    (tftp_daemons.TftpdHpa, ["-r", "blksize", "-r", "tsize", "-r", "timeout"], set()),
    (tftp_daemons.TftpdHpa, ["-B", "600"], {"blksize", "tsize", "timeout"}),
    (tftp_daemons.Atftpd, ["--no-blksize", "--no-tsize"], {"timeout", "windowsize"}),
    (tftp_daemons.Atftpd, ["--no-blksize", "--no-tsize", "--no-timeout", "--no-windowsize"], set()),
    (tftp_daemons.Dnsmasq, ["--tftp-no-blocksize"], {"tsize"}),
    (tftp_daemons.Dnsmasq, ["--tftp-mtu=600"], {"blksize", "tsize"}),
)


@pytest.mark.parametrize("kind, arguments, agreed", REFUSING, ids=lambda value: getattr(value, "program", None))
def test_servers_that_know_less(files, kind, arguments, agreed):
    with kind(files[0], *arguments) as running:
        for size in (0, 513, 64 << 10):
            transfer = check(running, files, size)
            assert set(transfer.options) == agreed
            if "600" in "".join(arguments):
                assert transfer.options["blksize"] <= 600


def test_atftpd_refuses_options_and_serves_without(files):
    """It answers blksize 8 with ERROR 8; the client then asks it without options."""
    with tftp_daemons.Atftpd(files[0]) as running:
        transfer = check(running, files, 64 << 10, block_size=8)
        assert transfer.options == {} and transfer.blocks == 129
