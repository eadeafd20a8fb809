# SPDX-License-Identifier: MIT
"""A TLS server as a script, for the tests of TVS and CAPF: what it says to what it hears, and how slowly."""

import errno


class Clock:
    """A clock that only moves when something takes time."""

    def __init__(self):
        self.now = 1000

    def monotonic(self):
        return self.now


class Random:
    """Session numbers that a test can foretell: 0, 0, 3, 0xe9 and so on."""

    def bytes(self, count):
        return bytes((0, 0, 3, 0xE9))[:count]


class Server:
    """One server. `certificate` is what it shows; `reply(request bytes)` gives a list of steps, played one a read:
    bytes to deliver, an OSError to raise, or a number of ms that pass. After the last step the connection ends.
    `greeting` are steps before anything was heard. `failure`: an error instead of a connection."""

    def __init__(self, certificate=None, reply=None, greeting=(), failure=None):
        self.certificate = certificate
        self.reply = reply
        self.greeting = greeting
        self.failure = failure
        self.connections = 0
        self.heard = []
        self.open = 0
        self.identity = None


class Net:
    """`servers` maps (host, port) to a Server; anybody else refuses the connection."""

    def __init__(self, clock, servers):
        self.clock = clock
        self.servers = servers
        self.tried = []

    def tls(self, host, port, timeout, identity=None):
        self.tried.append(host)
        server = self.servers.get((host, port))
        if server is None:
            raise OSError(errno.ECONNREFUSED, "connection refused")
        if server.failure:
            if isinstance(server.failure, OSError) and server.failure.errno == errno.ETIMEDOUT:
                self.clock.now += timeout
            raise server.failure
        server.connections += 1
        server.open += 1
        server.identity = identity
        return _Stream(self.clock, server, timeout)


class _Stream:
    def __init__(self, clock, server, timeout):
        self.clock = clock
        self.server = server
        self.timeout = timeout
        self.peer_certificate = server.certificate
        self.steps = list(server.greeting)
        self.closed = False

    def write(self, data):
        data = bytes(data)
        self.server.heard.append(data)
        if self.server.reply:
            self.steps.extend(self.server.reply(data))

    def read_into(self, buffer):
        left = self.timeout  # one read waits so long, however many pauses it meets
        while self.steps:
            step = self.steps.pop(0)
            if isinstance(step, int):
                if step >= left:
                    self.clock.now += left
                    raise OSError(errno.ETIMEDOUT, "silence")
                self.clock.now += step
                left -= step
            elif isinstance(step, OSError):
                raise step
            else:
                count = min(len(step), len(buffer))
                buffer[:count] = step[:count]
                if count < len(step):
                    self.steps.insert(0, step[count:])
                return count
        return 0

    def close(self):
        if not self.closed:
            self.closed = True
            self.server.open -= 1
