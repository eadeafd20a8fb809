# SPDX-License-Identifier: MIT
"""The TFTP client: fetches a file from the first server of a list that answers (RFC 1350, 2347, 2348, 2349, 7440).

    client = Client(hal.net, hal.clock, hal.random)
    transfer = client.fetch([("192.0.2.1", 69)], "ITLFile.tlv", sink, 65536)

Blocks go to the sink as they arrive and are kept nowhere: sink.begin(size or None) when the file starts - again when it
starts over, from another server or without options - and sink.write(block), a memoryview that is valid during the call.
agent/fetch/tftp/transfer.py has the rules of one transfer; here is which server is asked, and how often."""

from agent.fetch.tftp import packet as packets
from agent.fetch.tftp.transfer import (
    BadTransfer,
    FetchError,
    NoServer,
    NotFound,
    Session,
    SinkFailed,
    TooLarge,
    Transfer,
    TryPlain,
)

__all__ = ["BadName", "BadTransfer", "Client", "FetchError", "NoServer", "NotFound", "TooLarge", "Transfer"]

_TELLING = (NoServer, BadTransfer, TooLarge)  # from the least to the most telling, when all servers failed


class BadName(FetchError):
    """A name that no server can be asked for."""

    reason = "bad-name"


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
    """Fetches files, one at a time. Its memory does not depend on their size: one buffer for one packet.

    block_size: bytes asked for (1428 fits Ethernet whatever lies between, 1468 at most on IPv4). window: blocks a
    server may send ahead (RFC 7440). timeout: ms until the first retransmission; it doubles up to 8 s. attempts: how
    often the same packet is sent. deadline: ms one server has for one file, whatever it does. options=False: plain
    RFC 1350. log: called with a sentence when a server fails."""

    def __init__(
        self,
        net,
        clock,
        random,
        block_size=packets.SAFE_BLOCK,
        window=16,
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
        self._buffer = bytearray(max(block_size, packets.PLAIN_BLOCK) + 5)  # 4 of header; 1 shows a longer packet
        self._log = log
        self._finished = None

    def fetch(self, servers, name, sink, limit):
        """Fetches `name` into the sink: a Transfer. `servers`: (host, port) pairs, asked in this order until one has
        an answer. `limit`: bytes, inclusive.

        BadName: cannot be asked for. NotFound: the first server that answered does not have it. When every server
        failed, the most telling of TooLarge, BadTransfer and NoServer, with all of them in `.failures` and in the text.
        What the sink raises comes through, after the server was told to stop."""
        fault = packets.name_fault(name)
        if fault:
            raise BadName(None, "'%s'" % packets.printable(name.encode()), fault)
        failures = []
        for server in servers:
            self.settle()
            try:
                transfer = self._fetch_from(server, name, sink, limit)
            except NotFound as error:
                error.failures = failures + [error]
                raise
            except SinkFailed as failed:
                raise failed.error
            except FetchError as error:
                failures.append(error)
                if self._log:
                    self._log(str(error))
                continue
            transfer.failures = failures
            return transfer
        raise _most_telling(failures, name)

    def settle(self):
        """Answers servers that lost the last ACK of the last transfer. Never waits: call it when there is time."""
        session = self._finished
        if session is not None:
            try:
                session.answer_late(self._buffer)
            except OSError:
                self.close()  # a courtesy to the server; the file is here

    def close(self):
        """Gives up the socket of the last transfer. The client can be used again."""
        if self._finished is not None:
            self._finished.socket.close()
            self._finished = None

    def _fetch_from(self, server, name, sink, limit):
        """One server: with options, then without if that is what it needs. Both share one deadline."""
        host, port = server
        where = "%s:%d" % (host, port)
        ends = self._clock.monotonic() + self._settings.deadline
        try:
            address = self._net.resolve(host, port)
            where = self._net.address_text(address)
            try:
                return self._request(server, address, name, sink, limit, self._settings.request_options, ends)
            except TryPlain as plain:
                refused = plain.error
            if self._log:
                self._log("%s; asking again without options" % refused)
            try:
                return self._request(server, address, name, sink, limit, {}, ends)
            except NoServer:
                raise refused  # it did answer, just not a plain request
        except OSError as error:
            raise NoServer(where, name, "network error %s" % " ".join([str(part) for part in error.args[:2]]))

    def _request(self, server, address, name, sink, limit, options, ends):
        transfer = Transfer(server, name)
        session = Session(self._hal, self._settings, address, transfer, limit, ends)
        try:
            session.run(sink, options, self._buffer)
        except BaseException:
            session.socket.close()
            raise
        self.close()
        self._finished = session
        return transfer


def _most_telling(failures, name):
    if not failures:
        return NoServer(None, name, "no TFTP server is known")
    chosen = failures[0]
    for error in failures:
        if _TELLING.index(type(error)) > _TELLING.index(type(chosen)):
            chosen = error
    summary = type(chosen)(chosen.server, name, chosen.cause)
    summary.text = "; ".join([error.text for error in failures])
    summary.failures = failures
    return summary


def _check(name, value, least, most):
    if not least <= value <= most:
        raise ValueError("%s is %s, must be %d to %d" % (name, value, least, most))
