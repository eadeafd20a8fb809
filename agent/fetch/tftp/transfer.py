# SPDX-License-Identifier: MIT
"""One TFTP transfer from one server, from the request to the last block.

The rules of a transfer, in the order in which a packet meets them:
1. The first answer from the server's own address fixes the transfer id (RFC 1350, 4). A packet from any other address or
   port gets ERROR 5 and changes nothing.
2. The client takes only the next block. It sends an ACK when a window is complete, for one gap in a window, when its own
   timer runs out, and for a copy of the last block that comes so late that the server's timer must have sent it. So
   a copy never causes another copy (the Sorcerer's Apprentice bug), whatever the server does.
3. The timer runs from the last *progress*, not from the last packet, and grows. After `attempts` runs of the timer, or at
   the deadline, the transfer fails. So neither a silent nor a talkative server can hold the phone.
4. The sink gets no byte over the limit, and no byte over the announced size.
5. A packet of the server that is not TFTP ends the transfer at once."""

from agent.fetch.errors import BadTransfer, FetchError, NoServer, NotFound, SinkFailed, Stalled, TooLarge
from agent.fetch.tftp import packet as packets

LONGEST_WAIT = 8000  # ms; the timeout doubles up to this
LATE_PACKETS = 4  # how many packets are read each time a finished transfer is settled


class TryPlain(Exception):
    """A request with options delivered no byte; the same server may deliver the file without options. `error`: the error
    to report if it does not."""

    def __init__(self, error):
        super().__init__(str(error))
        self.error = error


class Transfer:
    """What is known of one file while it arrives, and afterwards. server: (host, port). file: its name. size: bytes so far.
    announced: the size that the server announced (tsize); None if it announced none, or 0. options: the options that the
    server agreed to. blocks: how many arrived."""

    def __init__(self, server, file):
        self.server = server
        self.file = file
        self.size = 0
        self.announced = None
        self.options = {}
        self.blocks = 0


class Session:
    """One request and the transfer that follows. Each request needs a new Session, because its socket is the local transfer
    id. After the transfer `last_block`, `peer` and the socket are kept for a while, to answer a server that lost the last
    ACK (agent/fetch/tftp/client.py)."""

    def __init__(self, hal, settings, address, transfer, limit, ends):
        self._net, self._clock, self._random = hal
        self._settings = settings
        self._address = address
        self._transfer = transfer
        self._limit = limit
        self._ends = ends
        self._began = self._clock.monotonic()
        self._name = self._net.address_text(address)
        self._acknowledgement = bytearray(b"\x00\x04\x00\x00")
        self._strangers = None
        self._agreed = False  # the server acknowledged options
        self._plain_may_help = True
        self.peer = None
        self.last_block = 0
        self.socket = self._net.udp(address)

    async def run(self, sink, options, buffer):
        """Ask for the file and pass its blocks to the sink. options: a dictionary for the request, may be empty. buffer: a
        bytearray for the largest packet and one byte more, so that a longer packet is noticed.
        Raises NotFound, NoServer, BadTransfer, Stalled, TooLarge, TryPlain, SinkFailed, and OSError of the network."""
        try:
            count = await self._first_answer(packets.request(self._transfer.file, options), buffer)
            self._begin(sink, options, memoryview(buffer)[:count])
            await self._blocks(sink, buffer, 0 if self._agreed else count)
        except FetchError as error:
            if options and self._transfer.size == 0 and isinstance(error, BadTransfer) and self._plain_may_help:
                raise TryPlain(error)
            raise
        except SinkFailed:
            self._tell(packets.NOT_DEFINED, "receiver stopped")
            raise

    # ------------------------------------------------------------------ the request and its first answer

    async def _first_answer(self, request, buffer):
        """Send the request until an answer from the server's address is in the buffer, and set `peer`. Returns its size."""
        settings = self._settings
        wait = settings.timeout
        sent = 0
        while sent < settings.attempts and self._clock.monotonic() < self._ends:
            self.socket.send(request, self._address)
            sent += 1
            again_at = min(self._clock.monotonic() + wait + self._jitter(wait), self._ends)
            while self._clock.monotonic() < again_at:
                answer = await self.socket.receive_into(buffer, again_at)
                if answer is None:
                    break
                count, source = answer
                if self._net.same_host(source, self._address):
                    self.peer = source
                    return count
                self._answer_stranger(source, buffer)
            wait = min(2 * wait, LONGEST_WAIT)
        raise self._failure(NoServer, "no answer; requests sent: %d%s" % (sent, self._strangers_seen()))

    def _begin(self, sink, options, packet):
        """Read the first packet: an OACK (ACK 0 will ask for block 1), block 1, or an ERROR."""
        transfer = self._transfer
        kind = packet[0] << 8 | packet[1] if len(packet) >= 4 or bytes(packet) == b"\x00\x06" else 0
        if kind == packets.ERROR:
            raise self._server_error(packet)
        if kind == packets.OACK and options:
            try:
                transfer.options = packets.read_options(packet, options)
            except packets.OptionsError as fault:
                raise self._fail(BadTransfer, "bad option acknowledgement: %s" % fault, packets.OPTIONS_REFUSED)
            self._agreed = True
            # A server that does not know the size repeats the 0 of the request, whatever the file holds.
            transfer.announced = transfer.options.get("tsize") or None
            if transfer.announced is not None and transfer.announced > self._limit:
                raise self._fail(
                    TooLarge,
                    "announced with %d bytes, the limit is %d" % (transfer.announced, self._limit),
                    packets.DISK_FULL,
                )
        elif kind != packets.DATA or packet[2] != 0 or packet[3] != 1:
            raise self._fail(BadTransfer, _garbage(packet), packets.ILLEGAL_OPERATION)
        try:
            sink.begin(transfer.announced)
        except Exception as error:
            raise SinkFailed(error)

    # ------------------------------------------------------------------ the blocks

    async def _blocks(self, sink, buffer, count):
        """Take blocks up to the last one. count: the size of block 1 if it is in the buffer already, 0 if ACK 0 has to ask
        for it. The loop runs once for each packet and is written for speed: it uses locals, and a full block allocates
        nothing."""
        transfer, settings, peer = self._transfer, self._settings, self.peer
        receive_into, monotonic, write = self.socket.receive_into, self._clock.monotonic, sink.write
        window = transfer.options.get("windowsize", 1)
        full = transfer.options.get("blksize", packets.PLAIN_BLOCK) + 4
        most = self._limit if transfer.announced is None else transfer.announced
        view = memoryview(buffer)
        whole_block = view[4:full]
        ends, timeout = self._ends, settings.timeout
        expected, after_last, in_window, size, runs, gap_told = 1, 0, 0, 0, 0, False
        wait = timeout
        now = monotonic()
        again_at = now + wait
        acknowledged_at = now
        answer = (count, peer)
        if not count:
            self._acknowledge(0)
            answer = await receive_into(buffer, again_at if again_at < ends else ends)
        while True:
            now = monotonic()
            if now >= ends:
                raise self._too_slow(size)
            if answer is None:
                pass
            elif answer[1] != peer:
                self._answer_stranger(answer[1], buffer)
            elif buffer[1] != 3 or buffer[0] or not 4 <= answer[0] <= full:
                self._other_packet(view[: answer[0]], full)
            else:
                count = answer[0]
                number = buffer[2] << 8 | buffer[3]
                if number == 1 and expected == 0 and window == 1 and runs:
                    # Without windows only block 65536 can follow block 65535. If it came as 1, and again as 1 after the
                    # ACK was repeated, the server wraps to 1. A stray copy of the first block would have come only once.
                    expected, after_last = 1, 1
                if number == expected:
                    size += count - 4
                    if size > most:
                        raise self._over(size)
                    try:
                        if count == full:
                            write(whole_block)
                        elif count > 4:
                            write(view[4:count])
                    except Exception as error:
                        raise SinkFailed(error)
                    self.last_block = expected
                    transfer.size = size
                    transfer.blocks += 1
                    in_window += 1
                    if count < full:
                        self._check_announced(size)
                        self._acknowledge(expected)
                        return
                    if in_window == window:
                        self._acknowledge(expected)
                        in_window = 0
                    expected = expected + 1 if expected != 65535 else after_last
                    runs, gap_told, wait = 0, False, timeout
                    acknowledged_at = now  # within a window the last ACK is a little older; that does no harm
                    again_at = now + timeout
                    answer = await receive_into(buffer, again_at if again_at < ends else ends)
                    continue
                if not gap_told and 0 < (number - expected) & 0xFFFF < window:
                    # RFC 7440: the ACK names the last block in order, and the server goes back to the block after it.
                    # One ACK is enough: each of the blocks that are still on their way would cause another one.
                    gap_told, in_window, acknowledged_at = True, 0, now
                    self._acknowledge(self.last_block)
                elif number == self.last_block and now - acknowledged_at >= timeout // 2:
                    in_window, acknowledged_at = 0, now
                    self._acknowledge(number)
            if now >= again_at:
                runs += 1
                if runs >= settings.attempts:
                    raise self._silent(size)
                self._acknowledge(self.last_block)
                gap_told, in_window, acknowledged_at = False, 0, now
                wait = min(2 * wait, LONGEST_WAIT)
                again_at = now + wait + self._jitter(wait)
            answer = await receive_into(buffer, again_at if again_at < ends else ends)

    def _acknowledge(self, number):
        self._acknowledgement[2] = number >> 8
        self._acknowledgement[3] = number & 0xFF
        self.socket.send(self._acknowledgement, self.peer)

    async def answer_late(self):
        """Answer copies of the last block that are waiting in the socket: their server has lost the last ACK. This never
        waits. Raises OSError of the network."""
        header = bytearray(4)  # longer packets are cut to 4 bytes
        for _ in range(LATE_PACKETS):
            answer = await self.socket.receive_into(header, 0)
            if answer is None:
                return
            number = header[2] << 8 | header[3]
            if answer[1] == self.peer and answer[0] == 4 and header[1] == packets.DATA and number == self.last_block:
                self._acknowledge(number)

    # ------------------------------------------------------------------ what else may come

    def _other_packet(self, packet, full):
        """Handle a packet of the server that is not the next block. A late copy of its OACK is ignored; any other packet ends
        the transfer."""
        if len(packet) >= 4 and packet[0] == 0:
            if packet[1] == packets.ERROR:
                raise self._server_error(packet)
            if packet[1] == packets.OACK and self._agreed:
                return  # ACK 0 is still on its way, or is lost and the timer will repeat it
            if packet[1] == packets.DATA:
                cause = "a block of more than the %d bytes agreed" % (full - 4)
                raise self._fail(BadTransfer, cause, packets.ILLEGAL_OPERATION)
        raise self._fail(BadTransfer, _garbage(packet), packets.ILLEGAL_OPERATION)

    def _server_error(self, packet):
        code, sentence = packets.read_error(packet)
        if code == packets.FILE_NOT_FOUND and self._transfer.blocks == 0:
            return self._failure(NotFound, sentence)
        self._plain_may_help = code != packets.ACCESS_VIOLATION
        return self._failure(BadTransfer, sentence)

    def _answer_stranger(self, source, buffer):
        """Send ERROR 5 to the source of a packet from another address. An ERROR gets no answer, because two programs that
        answer each other's errors would never stop."""
        self._strangers = source
        if buffer[1] == packets.ERROR:
            return
        try:
            self.socket.send(packets.error(packets.UNKNOWN_TRANSFER, "unknown transfer id"), source)
        except OSError:
            pass  # the answer is only a courtesy; the transfer goes on

    # ------------------------------------------------------------------ failures

    def _failure(self, kind, cause):
        return kind(self._name, self._transfer.file, cause)

    def _fail(self, kind, cause, code):
        """Tell the server to stop, and return the error to raise."""
        self._tell(code, "transfer refused")
        return self._failure(kind, cause)

    def _tell(self, code, text):
        if self.peer is not None:
            try:
                self.socket.send(packets.error(code, text), self.peer)
            except OSError:
                pass  # the message is only a courtesy; the transfer is over anyway

    def _over(self, size):
        announced = self._transfer.announced
        self._plain_may_help = False  # a server that announced a wrong size is not asked again without options
        if announced is None:
            return self._fail(TooLarge, "more than the limit of %d bytes" % self._limit, packets.DISK_FULL)
        return self._fail(BadTransfer, "announced with %d bytes, sent more" % announced, packets.DISK_FULL)

    def _check_announced(self, size):
        announced = self._transfer.announced
        if announced is not None and size != announced:
            self._plain_may_help = False
            cause = "announced with %d bytes, ended after %d" % (announced, size)
            raise self._fail(BadTransfer, cause, packets.NOT_DEFINED)

    def _too_slow(self, size):
        spent = self._clock.monotonic() - self._began
        cause = "not complete after %d s (%d bytes arrived)" % (spent // 1000, size)
        return self._fail(Stalled, cause, packets.NOT_DEFINED)

    def _silent(self, size):
        cause = "block %d never came, %d bytes arrived" % (self._transfer.blocks + 1, size)
        return self._fail(Stalled, cause + self._strangers_seen(), packets.NOT_DEFINED)

    def _strangers_seen(self):
        return "; packets came from %s" % self._net.address_text(self._strangers) if self._strangers else ""

    def _jitter(self, wait):
        """A random part of up to an eighth of `wait`, so that phones that were switched on together spread their packets."""
        return wait * self._random.bytes(1)[0] // 2048


def _garbage(packet):
    start = " ".join(["%02x" % byte for byte in bytes(packet[:8])])
    return "not a TFTP packet that fits here: %d bytes, %s" % (len(packet), start or "empty")
