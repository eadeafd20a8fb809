# SPDX-License-Identifier: MIT
"""The TFTP client: fetches a file from one server (RFC 1350, 2347, 2348, 2349, 7440).

    client = Client(hal.net, hal.clock, hal.random)
    transfer = await client.fetch(("192.0.2.1", 69), "ITLFile.tlv", sink, 65536, deadline)

Blocks go to the sink as they arrive and are kept nowhere: sink.begin(size or None) when the file starts - again when it
starts over, without options - and sink.write(block), a memoryview that is valid during the call.
agent/fetch/tftp/transfer.py has the rules of one transfer, agent/fetch/fetcher.py chooses the server."""

from agent.fetch.errors import BadName, NoServer, SinkFailed
from agent.fetch.tftp import packet as packets
from agent.fetch.tftp.transfer import Session, Transfer, TryPlain
from agent.servers.network import failure_text, server_text

#: How long (ms) a server that lost the last ACK is answered, and for how many finished transfers at once.
LINGER, LINGERING = 15000, 4
#: Blocks: the largest trust list (46 of 1428 bytes) comes without a pause for an ACK. A socket of Linux holds twice as many.
WINDOW = 48
#: How many buffers are kept for the next transfers.
_SPARE = 2


class Settings:
    """Numbers of a Client, checked: ValueError names the one that is out of its range."""

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
    """Fetches files, several at once if need be: each transfer has a socket and a buffer for one packet of its own.

    block_size: bytes asked for (1428 fits Ethernet whatever lies between, 1468 at most on IPv4). window: blocks a
    server may send ahead (RFC 7440). timeout: ms until the first retransmission; it doubles up to 8 s. attempts: how
    often the same packet is sent. deadline: ms one server has for one file, whatever it does. options=False: plain
    RFC 1350. log: called with a sentence when a server does without options."""

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
        self._buffer_size = max(block_size, packets.PLAIN_BLOCK) + 5  # 4 of header; 1 shows a longer packet
        self._spare = []
        self._log = log
        self._finished = []  # (time when it is over, Session)

    async def fetch(self, server, name, sink, limit, deadline):
        """Fetches `name` from `server` (host, port) into the sink: a Transfer. `limit`: bytes, inclusive. `deadline`: on
        the clock, ms; the server's own deadline may end earlier.

        BadName: cannot be asked for. NotFound, NoServer, BadTransfer, Stalled, TooLarge. What the sink raises comes
        through, after the server was told to stop."""
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
        """Answers servers that lost the last ACK of a finished transfer. Never waits: call it now and then, while no
        transfer begins; at the beginning of each it is done anyway."""
        for _ in range(len(self._finished)):
            if not self._finished:
                return  # another task has them
            over, session = self._finished.pop(0)
            try:
                await session.answer_late()
            except OSError:
                over = 0  # a courtesy to the server; the file is here
            except BaseException:
                session.socket.close()  # this task is cancelled
                raise
            self._linger(over, session)

    def close(self):
        """Gives up the sockets of finished transfers. The client can be used again."""
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
        """With options, then without if that is what the server needs. Both share one deadline."""
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
            raise refused  # it did answer, just not a plain request

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
