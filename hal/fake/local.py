# SPDX-License-Identifier: MIT
"""Unix sockets without sockets, for tests of the phone's service: a listener and its clients.

A client that has not written yet makes the service wait: such tests run in a loop of asyncio. Everything else finishes at
once, like the rest of the fake HAL."""

import asyncio

EPIPE, ETIMEDOUT, ECONNREFUSED = 32, 110, 111


class FakeListener:
    """What listen_local gives; a test calls connect()."""

    def __init__(self, net, path):
        self._net = net
        self._path = path
        self._waiting = []
        self._arrived = asyncio.Event()
        self.closed = False

    def connect(self, room=65536, process=1, user=1000, group=1000):
        """For the test: a client. room: how many bytes it lets wait for it before it counts as slow. process, user, group:
        the numbers of its program."""
        if self.closed:
            raise OSError(ECONNREFUSED, "nobody listens")
        client = FakeClient(room)
        self._waiting.append(FakeLocalStream(self._net.clock, client, process, user, group))
        self._arrived.set()
        return client

    async def accept(self):
        """The next client's stream."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.pop(0)

    def close(self):
        """Stop listening."""
        self.closed = True
        self._net.listeners.pop(self._path, None)


class FakeClient:
    """A client's end, in the test's hands."""

    def __init__(self, room):
        self.room = room
        self.closed = False
        self.refused = False  # the service has closed its end
        self.to_service = bytearray()
        self.arrived = asyncio.Event()
        self._received = bytearray()

    def send(self, data):
        """Send bytes to the service."""
        self.to_service.extend(data)
        self.arrived.set()

    def receive(self):
        """All that has come, which makes room for more."""
        data = bytes(self._received)
        self._received = bytearray()
        return data

    def take(self, data):
        """For the stream: how many of these bytes fit."""
        count = min(len(data), self.room - len(self._received))
        self._received.extend(data[:count])
        return count

    def close(self):
        """Go away."""
        self.closed = True
        self.arrived.set()


class FakeLocalStream:
    """The service's end of one client."""

    def __init__(self, clock, client, process, user, group):
        self._clock = clock
        self._client = client
        self.process = process
        self.user = user
        self.group = group

    async def read_into(self, buffer, deadline=None):
        """Bytes read, 0 at the end. Waits for the client, without a deadline; else ETIMEDOUT at once at the deadline."""
        client = self._client
        while not client.to_service and not client.closed:
            if deadline is not None:
                self._clock.move_to(deadline)
                raise OSError(ETIMEDOUT, "no answer in time")
            client.arrived.clear()
            await client.arrived.wait()
        count = min(len(client.to_service), len(buffer))
        buffer[:count] = client.to_service[:count]
        client.to_service = client.to_service[count:]
        return count

    async def write(self, data, deadline):
        """Write all of it. OSError: EPIPE where the client has gone, ETIMEDOUT where it reads too slowly."""
        if self._client.closed:
            raise OSError(EPIPE, "the client has gone")
        if self._client.take(data) < len(data):
            self._clock.move_to(deadline)
            raise OSError(ETIMEDOUT, "the client reads too slowly")

    def close(self):
        """End the connection."""
        self._client.refused = True
