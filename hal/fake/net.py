# SPDX-License-Identifier: MIT
"""A scripted network, on both Pythons. Servers are functions, time is that of the fake clock, and nothing really waits.

    net = FakeNet(clock)
    net.serve_udp("192.0.2.1", 69, lambda data, source, reply: reply(b"answer", delay=20))
    net.serve_tcp("192.0.2.2", 2445, server, certificate=der)

A UDP server is called with each datagram that is sent to it. It may call reply(data, delay=0, port=None, host=None) any number
of times. delay: ms. port, host: the source of the answer, if it is not the server's own address.

A TCP server is called with (peer, data): once with b"" when a client connects, then with each piece that the client wrote. The
peer has say(data, delay=0), end(delay=0), reset(delay=0) and the client's `identity`. A server may set `peer.more` to a
function of the peer, which is called when the client waits and nothing is under way. A server with a certificate is reached
only by tls(), and a server without one only by tcp().

Hosts in `silent` never answer. `sent` lists everything that was sent, as (kind, "host:port", bytes).
"""

from hal.fake.local import FakeListener

ENOENT, EACCES, EPIPE, EPROTO, ECONNRESET, ETIMEDOUT, ECONNREFUSED = 2, 13, 32, 71, 104, 110, 111
CLIENT = "192.0.2.200"
FIRST_PORT = 49152
CUT = object()  # in a stream: the connection ends without TLS's close_notify


class FakeNet:
    """The net part. names: a dictionary of host name -> dotted address."""

    tls_name = "fake"
    static_rsa = False

    def __init__(self, clock, names=None):
        self.clock = clock
        self.names = names or {}
        self.silent = set()
        self.sent = []
        self.listeners = {}
        self._udp = {}
        self._tcp = {}
        self._port = FIRST_PORT

    def serve_udp(self, host, port, server):
        """Put a UDP server on the network; None takes it away."""
        self._udp[(host, port)] = server

    def serve_tcp(self, host, port, server, certificate=None):
        """Put a TCP server on the network, or a TLS server if it has a certificate (DER). server None takes it away."""
        self._tcp[(host, port)] = (server, certificate)

    async def resolve(self, host, port, deadline):
        """The address (dotted address, port). Raises OSError (ENOENT) for a name that is not in `names`."""
        host = self.names.get(host, host)
        if len([part for part in host.split(".") if part.isdigit()]) != 4:
            raise OSError(ENOENT, "no address for " + host)
        return (host, int(port))

    def address_text(self, address):
        """The address as text: "192.0.2.1:69"."""
        return "%s:%d" % address

    def same_host(self, first, second):
        """Whether both addresses are of the same host, whatever their ports are."""
        return first[0] == second[0]

    def udp(self, address):
        """A UDP socket. Each has its own port."""
        self._port += 1
        return FakeUdp(self, self._port)

    async def tcp(self, host, port, deadline):
        """A connected stream. Raises OSError: ENOENT, ECONNREFUSED, ETIMEDOUT, EPROTO."""
        stream = await self._connect("tcp", host, port, deadline)
        stream.peer.server(stream.peer, b"")
        return stream

    async def tls(self, host, port, deadline, accept, identity=None):
        """A connected stream with the server's certificate. The server is called only after accept() has returned True. Raises
        OSError as tcp(), and EACCES if accept() returns False."""
        stream = await self._connect("tls", host, port, deadline)
        if not await accept(stream.peer_certificate):
            stream.close()
            raise OSError(EACCES, "the server's certificate is not accepted")
        stream.peer.identity = identity
        stream.peer.server(stream.peer, b"")
        return stream

    def listen_local(self, path):
        """A listener; a test connects with net.listeners[path].connect()."""
        listener = FakeListener(self, path)
        self.listeners[path] = listener
        return listener

    def deliver_udp(self, data, address, source):
        """For FakeUdp: pass a datagram to its server, if there is one."""
        data = bytes(data)
        self.sent.append(("udp", self.address_text(address), data))
        server = self._udp.get(address)
        if server is None or address[0] in self.silent:
            return

        def reply(answer, delay=0, port=None, host=None):
            came_from = (host or address[0], port or address[1])
            source.put(self.clock.monotonic() + delay, bytes(answer), came_from)

        server(data, (CLIENT, source.port), reply)

    async def _connect(self, kind, host, port, deadline):
        address = await self.resolve(host, port, deadline)
        if address[0] in self.silent:
            self.clock.move_to(deadline)
            raise OSError(ETIMEDOUT, "no answer in time")
        server, certificate = self._tcp.get(address, (None, None))
        if server is None:
            raise OSError(ECONNREFUSED, "connection refused")
        if (kind == "tls") != (certificate is not None):
            raise OSError(EPROTO, "TLS: one side speaks it and the other does not")
        stream = FakeStream(self, kind, address, certificate)
        stream.peer = Peer(stream, server)
        return stream


class Queue:
    """Items under way, in the order of their arrival. Of two items with the same time, the one that was put first comes
    first."""

    def __init__(self):
        self._items = []

    def put(self, time, item):
        """Add an item that arrives at `time` (ms)."""
        index = len(self._items)
        while index and self._items[index - 1][0] > time:
            index -= 1
        self._items.insert(index, (time, item))

    def put_back(self, time, item):
        """Put the rest of the first item back to the front."""
        self._items.insert(0, (time, item))

    def next(self):
        """(time, item) of the first item, or None."""
        return self._items[0] if self._items else None

    def pop(self):
        """Remove the first item."""
        self._items.pop(0)


class FakeUdp:
    """One UDP socket."""

    def __init__(self, net, port):
        self._net = net
        self.port = port
        self.closed = False
        self._queue = Queue()

    def put(self, time, data, address):
        """A datagram from `address` is under way, and arrives at `time` (ms)."""
        self._queue.put(time, (data, address))

    def send(self, data, address):
        """Send one datagram."""
        self._net.deliver_udp(data, address, self)

    async def receive_into(self, buffer, deadline):
        """(count, address) of the next datagram, or None at the deadline. The clock moves to its arrival, or to the deadline."""
        first = self._queue.next()
        clock = self._net.clock
        if first is None or first[0] > max(deadline, clock.monotonic()):
            clock.move_to(deadline)
            return None
        self._queue.pop()
        clock.move_to(first[0])
        data, address = first[1]
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        return count, address

    def close(self):
        """Close the socket."""
        self.closed = True


class Peer:
    """The server's end of a TCP connection. client_closed: whether the client has closed its end."""

    def __init__(self, stream, server):
        self._stream = stream
        self.server = server
        self.identity = None
        self.more = None
        self.client_closed = False

    def say(self, data, delay=0):
        """Send bytes to the client, `delay` ms from now."""
        self._stream.put(delay, bytes(data))

    def end(self, delay=0, orderly=True):
        """End the stream. orderly: False to end without TLS's close_notify, like a connection that was cut."""
        self._stream.put(delay, b"" if orderly else CUT)

    def reset(self, delay=0):
        """Make the client's next read fail with ECONNRESET."""
        self._stream.put(delay, None)


class FakeStream:
    """The client's end of a TCP or TLS connection."""

    def __init__(self, net, kind, address, certificate):
        self._net = net
        self._kind = kind
        self._address = address
        self.peer_certificate = certificate
        self.orderly = False
        self.peer = None
        self._queue = Queue()
        self._last = 0

    def put(self, delay, data):
        """For Peer: the peer's bytes, its end (b"" or CUT) or a reset (None). The order is kept, whatever the delays are."""
        self._last = max(self._last, self._net.clock.monotonic() + delay)
        self._queue.put(self._last, data)

    async def read_into(self, buffer, deadline):
        """Returns how many bytes were read, 0 at the end. Raises OSError: ETIMEDOUT if nothing comes before the deadline,
        ECONNRESET."""
        if self._queue.next() is None and self.peer.more is not None:
            self.peer.more(self.peer)
        first = self._queue.next()
        clock = self._net.clock
        if first is None or first[0] > max(deadline, clock.monotonic()):
            clock.move_to(deadline)
            raise OSError(ETIMEDOUT, "no answer in time")
        clock.move_to(first[0])
        data = first[1]
        if data is None:
            raise OSError(ECONNRESET, "connection reset")
        if data is CUT or not data:
            self.orderly = data is not CUT
            return 0
        self._queue.pop()
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        if count < len(data):
            self._queue.put_back(first[0], data[count:])
        return count

    async def write(self, data, deadline):
        """Pass `data` to the server at once. Raises OSError (EPIPE) after close()."""
        if self.peer.client_closed:
            raise OSError(EPIPE, "closed")
        self._net.sent.append((self._kind, self._net.address_text(self._address), bytes(data)))
        self.peer.server(self.peer, bytes(data))

    def close(self):
        """End the connection."""
        self.peer.client_closed = True
