# SPDX-License-Identifier: MIT
"""A simulated network for the TFTP client: events on its own clock, packets delivered as the test says.

A server is a function server(network, packet, source, address): it is called when a packet reaches one of its addresses
and answers with network.deliver(data, to, sender, delay). Nothing here waits: receive_into moves the clock to the next
event."""

from agent.servers.network import server_text

CLIENT = "198.51.100.9"
TIMER = b"\xff\xff timer "  # what a model server sends to itself


class Network:
    """net, clock and random of a HAL in one. `servers`: dict of host -> function. `sent`: the client's first 1000
    packets as (data, address). `open_sockets`: how many."""

    def __init__(self, servers, start=1000):
        self.servers = servers
        self.now = start
        self.sent = []
        self.open_sockets = 0
        self._events = []  # (time, order, address, data, sender), unsorted; few at any time
        self._count = 0
        self._next_port = 40000
        self._inboxes = {}

    async def resolve(self, host, port, deadline):
        if host == "unknown.example":
            raise OSError(2, "no address for " + host)
        return (host, port)

    def address_text(self, address):
        return server_text(address)

    def same_host(self, one, other):
        return one[0] == other[0]

    def udp(self, address):
        self._next_port += 1
        return Socket(self, (CLIENT, self._next_port))

    def monotonic(self):
        return self.now

    def bytes(self, count):
        return b"\x80" * count

    def deliver(self, data, to, sender, delay=1):
        """Puts a packet on its way: it arrives `delay` ms from now."""
        self._count += 1
        self._events.append((self.now + delay, self._count, to, bytes(data), sender))

    def advance(self, address, until):
        """Runs events up to the first that is for `address` (returned as (data, sender)) or to `until` (None). Packets
        for other sockets wait there meanwhile."""
        inbox = self._inboxes.get(address)
        if inbox:
            return inbox.pop(0)
        while True:
            due = None
            for event in self._events:
                if event[0] <= until and (due is None or event[:2] < due[:2]):
                    due = event
            if due is None:
                self.now = max(self.now, until)
                return None
            self._events.remove(due)
            self.now = max(self.now, due[0])
            if due[2] == address:
                return due[3], due[4]
            if due[2] in self._inboxes:
                self._inboxes[due[2]].append((due[3], due[4]))
            elif due[2][0] in self.servers:
                self.servers[due[2][0]](self, due[3], due[4], due[2])

    def open(self, address):
        """Open a socket: packets for it are kept from now on."""
        self._inboxes[address] = []
        self.open_sockets += 1

    def close(self, address):
        """Close a socket."""
        del self._inboxes[address]
        self.open_sockets -= 1


class Socket:
    """A UDP socket as the HAL has it."""

    def __init__(self, network, address):
        self._network = network
        self.address = address
        self._closed = False
        network.open(address)

    def send(self, data, address):
        assert not self._closed
        if len(self._network.sent) < 1000:  # enough for every test that looks; memory is short on MicroPython
            self._network.sent.append((bytes(data), address))
        self._network.deliver(data, address, self.address)

    async def receive_into(self, buffer, deadline):
        assert not self._closed
        got = self._network.advance(self.address, max(deadline, self._network.now))
        if got is None:
            return None
        count = min(len(got[0]), len(buffer))
        buffer[:count] = got[0][:count]
        return count, got[1]

    def close(self):
        if not self._closed:
            self._closed = True
            self._network.close(self.address)


class Sink:
    """Keeps what it is given: `data`, `begun` (arguments of begin, in order)."""

    def __init__(self):
        self.begun = []
        self.data = None

    def begin(self, size):
        self.begun.append(size)
        self.data = bytearray()

    def write(self, block):
        assert isinstance(block, memoryview)
        self.data.extend(block)


def data_packet(number, block):
    """A DATA packet."""
    return b"\x00\x03" + bytes((number >> 8 & 0xFF, number & 0xFF)) + bytes(block)


def error_packet(code, text=b""):
    """An ERROR packet."""
    return b"\x00\x05\x00" + bytes((code,)) + text + b"\x00"


def oack(*fields):
    """An OACK of these (name, value) pairs of bytes."""
    return b"\x00\x06" + b"".join([name + b"\x00" + value + b"\x00" for name, value in fields])


def read_request(packet):
    """A read request -> (name, dict of its options, values as numbers)."""
    assert packet[:2] == b"\x00\x01" and packet[-1:] == b"\x00"
    fields = [bytes(field).decode() for field in packet[2:-1].split(b"\x00")]
    assert fields[1] == "octet"
    return fields[0], {fields[n]: int(fields[n + 1]) for n in range(2, len(fields), 2)}


class Server:
    """A model TFTP server: reads `files`, one transfer per request, each from a port of its own, go-back-n windows
    (RFC 7440), its own retransmission timer. Set `options` to the names it knows, `announce` to lie about sizes, `wrap`
    to the number after 65535, `transmit` to lose, repeat or delay what it sends."""

    def __init__(self, files, options=("blksize", "tsize", "timeout", "windowsize"), wrap=0):
        self.files = files
        self.options = options
        self.wrap = wrap
        self.announce = None
        self.attempts = 8
        self.requests = []
        self.errors = []
        self._transfers = {}
        self._port = 50000

    def __call__(self, network, packet, source, address):
        if packet[1] == 1:
            self._request(network, packet, source, address)
        elif packet[1] == 5:
            self.errors.append(packet)
            self.finish(address)
        elif packet[1] == 4 and address in self._transfers:
            self._transfers[address].acknowledged(network, packet[2] << 8 | packet[3])
        elif packet.startswith(TIMER) and address in self._transfers:
            self._transfers[address].timer(network, int(packet[len(TIMER) :]))

    def finish(self, here):
        """End a transfer that is acknowledged to the end, or given up."""
        self._transfers.pop(here, None)

    def busy(self):
        """How many transfers wait for an ACK."""
        return len(self._transfers)

    def transmit(self, network, packet, to, sender):
        """Sends one packet; tests replace it."""
        network.deliver(packet, to, sender)

    def _request(self, network, packet, source, address):
        name, asked = read_request(packet)
        self.requests.append((name, asked))
        self._port += 1
        here = (address[0], self._port)
        if name not in self.files:
            self.transmit(network, error_packet(1, b"File not found"), source, here)
            return
        agreed = {option: value for option, value in asked.items() if option in self.options}
        if "tsize" in agreed:
            agreed["tsize"] = len(self.files[name]) if self.announce is None else self.announce
        self._transfers[here] = transfer = ServerTransfer(self, self.files[name], agreed, source, here)
        transfer.send(network)


class ServerTransfer:
    """The sending end of one transfer."""

    def __init__(self, server, data, agreed, client, here):
        self._server = server
        self._data = data
        self._block = agreed.get("blksize", 512)
        self._window = agreed.get("windowsize", 1)
        self._agreed = agreed
        self._client = client
        self._here = here
        self._total = len(data) // self._block + 1
        self._base = -1 if agreed else 0  # the highest block acknowledged; -1 while the OACK is not
        self._generation = 0
        self._tries = 0

    def number(self, block):
        """A block's number on the wire."""
        if block <= 65535:
            return block
        return (block - 65536) % (65536 - self._server.wrap) + self._server.wrap

    def acknowledged(self, network, number):
        """Take an ACK: it moves on, or back to a gap. In lockstep an ACK without news is ignored (RFC 1123)."""
        if self._base < 0:
            if number == 0:
                self._base = 0
                self.send(network)
            return
        for block in range(self._base, min(self._base + self._window, self._total) + 1):
            if self.number(block) == number:
                break
        else:
            return
        if block == self._total:
            self._server.finish(self._here)
        elif block != self._base or self._window > 1:
            self._base = block
            self._tries = 0
            self.send(network)

    def timer(self, network, generation):
        """Sends the window again if nothing was sent since the timer was set; gives up at last."""
        if generation == self._generation:
            self._tries += 1
            if self._tries < self._server.attempts:
                self.send(network)
            else:
                self._server.finish(self._here)

    def send(self, network):
        """Sends the OACK or the window, and sets the timer."""
        if self._base < 0:
            fields = [(name.encode(), b"%d" % value) for name, value in self._agreed.items()]
            self._server.transmit(network, oack(*fields), self._client, self._here)
        else:
            for block in range(self._base + 1, min(self._base + self._window, self._total) + 1):
                start = (block - 1) * self._block
                packet = data_packet(self.number(block), self._data[start : start + self._block])
                self._server.transmit(network, packet, self._client, self._here)
        self._generation += 1
        network.deliver(TIMER + b"%d" % self._generation, self._here, self._here, 1000)
