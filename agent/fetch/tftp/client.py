# SPDX-License-Identifier: MIT
"""The TFTP client: fetches a file from one server (RFC 1350, 2347, 2348, 2349, 7440).

    client = Client(hal.net, hal.clock, hal.random)
    transfer = await client.fetch(("192.0.2.1", 69), "ITLFile.tlv", sink, 65536, deadline)

Blocks go to the sink as they arrive; the client keeps no copy. It calls sink.begin(size or None) when the file starts,
and again when the file starts over without options. It calls sink.write(block) for each block, a memoryview that is valid
during the call. agent/fetch/tftp/transfer.py has the rules of one transfer, agent/fetch/fetcher.py chooses the server."""

from agent.fetch.errors import BadName, NoServer, SinkFailed
from agent.fetch.tftp import packet as packets
from agent.fetch.tftp.transfer import Session, Transfer, TryPlain
from agent.servers.network import failure_text, server_text

#: A server may have lost the last ACK of a finished transfer. It is answered for LINGER ms, for LINGERING transfers at once.
LINGER, LINGERING = 15000, 4
#: Blocks. The largest trust list has 46 blocks of 1428 bytes, so it comes without a pause for an ACK. A Linux socket holds
#: twice as many.
WINDOW = 48
#: How many packet buffers are kept for the next transfers.
_SPARE = 2


class Settings:
    """The numbers of a Client, checked. ValueError names a number that is out of its range."""

    def __init__(self, block_size, window, timeout, attempts, deadline, options):
        _check("block_size", block_size, packets.SMALLEST_BLOCK, packets.LARGEST_BLOCK)
        _check("window", window, 1, packets.LARGEST_WINDOW)
        _check("timeout", timeout, 1, 255000)
        _check("attempts", attempts, 1, 100)
        _check("deadline", deadline, 1, 86400000)
        self.timeout = timeout
        self.attempts = attempts
        self.deadline = deadline
        self.request_options = {}
        if options:
            # The server's own timer, in whole seconds (RFC 2349).
            self.request_options = {"blksize": block_size, "tsize": 0, "timeout": max(1, timeout // 1000)}
            if window > 1:
                self.request_options["windowsize"] = window


class Client:
    """Fetches files, also several at once: each transfer has its own socket and its own buffer for one packet.

    block_size: bytes of a block to ask for; 1428 fits every Ethernet path, 1468 is the most on IPv4. window: how many
    blocks a server may send before it waits for an ACK (RFC 7440). timeout: ms until the first retransmission; it doubles
    up to 8 s. attempts: how often the same packet is sent. deadline: ms that one server has for one file. options: False
    for plain RFC 1350. log: called with a sentence when a server is asked again without options. Raises ValueError for a
    number that is out of its range."""

    def __init__(
        self,
        net,
        clock,
        random,
        block_size=packets.SAFE_BLOCK,
        window=WINDOW,
        timeout=1000,
        attempts=4,
        deadline=120000,
        options=True,
        log=None,
    ):
        self._hal = (net, clock, random)
        self._net = net
        self._clock = clock
        self._settings = Settings(block_size, window, timeout, attempts, deadline, options)
        self._buffer_size = max(block_size, packets.PLAIN_BLOCK) + 5  # 4 for the header; 1 to notice a longer packet
        self._spare = []
        self._log = log
        self._finished = []  # (ms of the clock at which its socket is closed, Session)

    async def fetch(self, server, name, sink, limit, deadline):
        """Fetch `name` from `server` (host, port) into the sink; returns a Transfer. limit: bytes, inclusive. deadline: ms of
        the clock; the client's own deadline for one file may end earlier.

        Raises BadName, NotFound, NoServer, BadTransfer, Stalled and TooLarge. If the sink raises an error, the server is
        told to stop and the error comes through unchanged."""
        fault = packets.name_fault(name)
        if fault:
            raise BadName(None, "'%s'" % packets.printable(name.encode()), fault)
        await self.settle()
        ends = min(deadline, self._clock.monotonic() + self._settings.deadline)
        buffer = self._spare.pop() if self._spare else bytearray(self._buffer_size)
        try:
            return await self._fetch(server, name, sink, limit, ends, buffer)
        except OSError as error:
            raise NoServer(server_text(server), name, failure_text(error))
        except SinkFailed as failed:
            raise failed.error
        finally:
            if len(self._spare) < _SPARE:
                self._spare.append(buffer)

    async def settle(self):
        """Answer servers that lost the last ACK of a finished transfer. This never waits. Each fetch begins with it; call it
        now and then while nothing is fetched."""
        for _ in range(len(self._finished)):
            if not self._finished:
                return  # another task is settling them
            over, session = self._finished.pop(0)
            try:
                await session.answer_late()
            except OSError:
                over = 0  # the file is here already; the answer was only a courtesy to the server
            except BaseException:
                session.socket.close()  # the task is being cancelled
                raise
            self._linger(over, session)

    def close(self):
        """Close the sockets of finished transfers. The client can be used again afterwards."""
        for _, session in self._finished:
            session.socket.close()
        self._finished = []

    def _linger(self, over, session):
        if over <= self._clock.monotonic():
            session.socket.close()
            return
        self._finished.append((over, session))
        if len(self._finished) > LINGERING:
            self._finished.pop(0)[1].socket.close()

    async def _fetch(self, server, name, sink, limit, ends, buffer):
        """Ask with options, and again without them if the server needs that. Both requests share one deadline."""
        host, port = server
        address = await self._net.resolve(host, port, ends)
        try:
            return await self._request(server, address, name, sink, limit, self._settings.request_options, ends, buffer)
        except TryPlain as plain:
            refused = plain.error
        if self._log:
            self._log("%s; asking again without options" % refused)
        try:
            return await self._request(server, address, name, sink, limit, {}, ends, buffer)
        except NoServer:
            raise refused  # the server did answer the first request, so its refusal says more

    async def _request(self, server, address, name, sink, limit, options, ends, buffer):
        transfer = Transfer(server, name)
        session = Session(self._hal, self._settings, address, transfer, limit, ends)
        try:
            await session.run(sink, options, buffer)
        except BaseException:
            session.socket.close()
            raise
        self._linger(self._clock.monotonic() + LINGER, session)
        return transfer


def _check(name, value, least, most):
    if not least <= value <= most:
        raise ValueError("%s is %s, must be %d to %d" % (name, value, least, most))
