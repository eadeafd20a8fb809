# SPDX-License-Identifier: MIT
"""A scripted network, on both Pythons: servers are functions, time is the fake clock's, nothing waits for real.

    net = FakeNet(clock)
    net.serve_udp("192.0.2.1", 69, lambda data, source, reply: reply(b"answer", delay=20))
    net.serve_tcp("192.0.2.2", 2445, server, certificate=der)

A UDP server is called with each datagram that is sent to it and may call reply(data, delay=0, port=None, host=None) any
number of times: `delay` in ms, port and host where the answer comes from elsewhere.

A TCP server is called with (peer, data): once with b"" when a client connects, then with what the client wrote. The peer
has say(data, delay=0), end(delay=0), reset(delay=0) and the client's `identity`. Where a server has a certificate, only
tls() reaches it, and only tcp() where it has none.

Hosts in `silent` swallow everything. Everything that is sent is listed in `sent` as (kind, "host:port", bytes).
"""

from hal.fake.local import FakeListener, FakePoller

ENOENT, EPIPE, EPROTO, ECONNRESET, ETIMEDOUT, ECONNREFUSED = 2, 32, 71, 104, 110, 111
CLIENT = "192.0.2.200"
FIRST_PORT = 49152


class FakeNet:
    """All of `net` but the poller's real files. names: host name -> dotted address."""

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
        """Put a TCP server on the network, a TLS one with `certificate` (DER); server None takes it away."""
        self._tcp[(host, port)] = (server, certificate)

    def resolve(self, host, port):
        """(dotted address, port). OSError (ENOENT) for a name that is not in `names`."""
        host = self.names.get(host, host)
        if len([part for part in host.split(".") if part.isdigit()]) != 4:
            raise OSError(ENOENT, "no address for " + host)
        return (host, int(port))

    def address_text(self, address):
        """ "192.0.2.1:69"."""
        return "%s:%d" % address

    def same_host(self, first, second):
        """True where both are the same host, on whatever ports."""
        return first[0] == second[0]

    def udp(self):
        """A UDP socket; each has a port of its own."""
        self._port += 1
        return FakeUdp(self, self._port)

    def tcp(self, host, port, timeout):
        """A connected stream."""
        return self._connect("tcp", host, port, timeout, None)

    def tls(self, host, port, timeout, identity=None):
        """A connected stream with the server's certificate."""
        return self._connect("tls", host, port, timeout, identity)

    def listen_local(self, path):
        """A listener; a test connects with net.listeners[path].connect()."""
        listener = FakeListener(self, path)
        self.listeners[path] = listener
        return listener

    def poller(self):
        """Waits for listeners, local streams and the fake console."""
        return FakePoller(self.clock)

    def deliver_udp(self, data, address, source):
        """For FakeUdp: hand a datagram to its server, if there is one."""
        data = bytes(data)
        self.sent.append(("udp", self.address_text(address), data))
        server = self._udp.get(address)
        if server is None or address[0] in self.silent:
            return

        def reply(answer, delay=0, port=None, host=None):
            came_from = (host or address[0], port or address[1])
            source.put(self.clock.monotonic() + delay, bytes(answer), came_from)

        server(data, (CLIENT, source.port), reply)

    def _connect(self, kind, host, port, timeout, identity):
        address = self.resolve(host, port)
        if address[0] in self.silent:
            self.clock.sleep(timeout)
            raise OSError(ETIMEDOUT)
        server, certificate = self._tcp.get(address, (None, None))
        if server is None:
            raise OSError(ECONNREFUSED)
        if (kind == "tls") != (certificate is not None):
            raise OSError(EPROTO, "TLS: one side speaks it and the other does not")
        stream = FakeStream(self, kind, address, timeout, certificate)
        stream.peer = Peer(stream, server, identity)
        server(stream.peer, b"")
        return stream


class Queue:
    """What is under way, by the time it arrives; what was put first goes first at the same time."""

    def __init__(self):
        self._items = []

    def put(self, time, item):
        """Add; keeps the order of arrival."""
        index = len(self._items)
        while index and self._items[index - 1][0] > time:
            index -= 1
        self._items.insert(index, (time, item))

    def put_back(self, time, item):
        """Put what is left of the first back to the front."""
        self._items.insert(0, (time, item))

    def next(self):
        """(time, item) of the first, None where there is none."""
        return self._items[0] if self._items else None

    def pop(self):
        """Take the first away."""
        self._items.pop(0)


class FakeUdp:
    """One UDP socket."""

    def __init__(self, net, port):
        self._net = net
        self.port = port
        self.closed = False
        self._queue = Queue()

    def put(self, time, data, address):
        """A datagram is under way."""
        self._queue.put(time, (data, address))

    def send(self, data, address):
        """Send one datagram."""
        self._net.deliver_udp(data, address, self)

    def receive_into(self, buffer, timeout):
        """(count, address) of the next datagram, None after `timeout` ms; the clock is moved there."""
        first = self._queue.next()
        now = self._net.clock.monotonic()
        if first is None or first[0] > now + timeout:
            self._net.clock.sleep(max(timeout, 0))
            return None
        self._queue.pop()
        if first[0] > now:
            self._net.clock.sleep(first[0] - now)
        data, address = first[1]
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        return count, address

    def close(self):
        """Give the port back."""
        self.closed = True


class Peer:
    """The server's end of a TCP connection."""

    def __init__(self, stream, server, identity):
        self._stream = stream
        self.server = server
        self.identity = identity
        self.client_closed = False

    def say(self, data, delay=0):
        """Bytes for the client, `delay` ms from now."""
        self._stream.put(delay, bytes(data))

    def end(self, delay=0):
        """The end of the stream."""
        self._stream.put(delay, b"")

    def reset(self, delay=0):
        """The client's next read fails with ECONNRESET."""
        self._stream.put(delay, None)


class FakeStream:
    """The client's end of a TCP or TLS connection."""

    def __init__(self, net, kind, address, timeout, certificate):
        self._net = net
        self._kind = kind
        self._address = address
        self._timeout = timeout
        self.peer_certificate = certificate
        self.peer = None
        self._queue = Queue()
        self._last = 0

    def put(self, delay, data):
        """The peer's bytes, its end (b"") or a reset (None). A stream keeps its order whatever the delays are."""
        self._last = max(self._last, self._net.clock.monotonic() + delay)
        self._queue.put(self._last, data)

    def read_into(self, buffer):
        """Bytes read, 0 at the end; ETIMEDOUT when nothing comes in time."""
        first = self._queue.next()
        clock = self._net.clock
        if first is None or first[0] > clock.monotonic() + self._timeout:
            clock.sleep(self._timeout)
            raise OSError(ETIMEDOUT)
        if first[0] > clock.monotonic():
            clock.sleep(first[0] - clock.monotonic())
        data = first[1]
        if data is None:
            raise OSError(ECONNRESET)
        if not data:
            return 0
        self._queue.pop()
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        if count < len(data):
            self._queue.put_back(first[0], data[count:])
        return count

    def write(self, data):
        """Hand it to the server at once."""
        if self.peer.client_closed:
            raise OSError(EPIPE)
        self._net.sent.append((self._kind, self._net.address_text(self._address), bytes(data)))
        self.peer.server(self.peer, bytes(data))

    def close(self):
        """End the connection."""
        self.peer.client_closed = True
