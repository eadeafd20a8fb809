# SPDX-License-Identifier: MIT
"""A TLS server as a script, for the tests of TVS and CAPF: what it answers, and how slowly."""

import errno

#: A step of a Server: the connection ends without a goodbye of TLS.
CUT = object()


class Clock:
    """A clock that moves only when something takes time."""

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
    bytes to deliver, an OSError to raise, CUT, or a number of ms that pass. After the last step the connection ends
    orderly. `greeting` are steps before anything was heard. `failure`: an error instead of a connection. `shaking`: ms
    that the handshake takes once the phone has seen the certificate."""

    def __init__(self, certificate=None, reply=None, greeting=(), failure=None, shaking=0):
        self.certificate = certificate
        self.reply = reply
        self.greeting = greeting
        self.failure = failure
        self.shaking = shaking
        self.connections = 0
        self.heard = []
        self.open = 0
        self.identity = None


class Net:
    """`servers` maps (host, port) to a Server; other addresses refuse the connection."""

    def __init__(self, clock, servers):
        self.clock = clock
        self.servers = servers
        self.tried = []

    async def tls(self, host, port, deadline, accept, identity=None):
        self.tried.append(host)
        server = self.servers.get((host, port))
        if server is None:
            raise OSError(errno.ECONNREFUSED, "connection refused")
        if server.failure:
            if isinstance(server.failure, OSError) and server.failure.errno == errno.ETIMEDOUT:
                self.clock.now = max(self.clock.now, deadline)
            raise server.failure
        server.connections += 1
        if not await accept(server.certificate):
            raise OSError(errno.EACCES, "not accepted")
        self.clock.now += server.shaking
        if self.clock.now >= deadline:
            self.clock.now = deadline
            raise OSError(errno.ETIMEDOUT, "silence")
        server.open += 1
        server.identity = identity
        return _Stream(self.clock, server)


class _Stream:
    def __init__(self, clock, server):
        self.clock = clock
        self.server = server
        self.peer_certificate = server.certificate
        self.orderly = False
        self.steps = list(server.greeting)
        self.closed = False

    async def write(self, data, deadline):
        data = bytes(data)
        self.server.heard.append(data)
        if self.server.reply:
            self.steps.extend(self.server.reply(data))

    async def read_into(self, buffer, deadline):
        while self.steps:
            step = self.steps.pop(0)
            if step is CUT:
                return 0
            if isinstance(step, int):
                left = deadline - self.clock.now
                if step >= left:
                    self.clock.now = deadline
                    self.steps.insert(0, step - left)
                    raise OSError(errno.ETIMEDOUT, "silence")
                self.clock.now += step
            elif isinstance(step, OSError):
                raise step
            else:
                count = min(len(step), len(buffer))
                buffer[:count] = step[:count]
                if count < len(step):
                    self.steps.insert(0, step[count:])
                return count
        self.orderly = True
        return 0

    def close(self):
        if not self.closed:
            self.closed = True
            self.server.open -= 1
