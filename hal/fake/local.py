# SPDX-License-Identifier: MIT
"""Fake Unix sockets for tests of the phone's service: a listener and its clients.

The service really waits for a client that has not written yet, so such tests run in a loop of asyncio. Everything else
finishes at once, like the rest of the fake HAL."""

import asyncio

EPIPE, ETIMEDOUT, ECONNREFUSED = 32, 110, 111


class FakeListener:
    """The listener that listen_local() returns. A test calls connect()."""

    def __init__(self, net, path):
        self._net = net
        self._path = path
        self._waiting = []
        self._arrived = asyncio.Event()
        self.closed = False

    def connect(self, room=65536, process=1, user=1000, group=1000):
        """For the test: connect a client, and return its end. room: how many bytes may wait for it before it counts as slow.
        process, user, group: the numbers of its program. Raises OSError after close()."""
        if self.closed:
            raise OSError(ECONNREFUSED, "nobody listens")
        client = FakeClient(room)
        self._waiting.append(FakeLocalStream(self._net.clock, client, process, user, group))
        self._arrived.set()
        return client

    async def accept(self):
        """Wait for the next client, and return its stream."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.pop(0)

    def close(self):
        """Stop listening."""
        self.closed = True
        self._net.listeners.pop(self._path, None)


class FakeClient:
    """The client's end of a connection, for the test. refused: whether the service has closed its end."""

    def __init__(self, room):
        self.room = room
        self.closed = False
        self.refused = False
        self.to_service = bytearray()
        self.arrived = asyncio.Event()
        self._received = bytearray()

    def send(self, data):
        """Send bytes to the service."""
        self.to_service.extend(data)
        self.arrived.set()

    def receive(self):
        """All bytes that have come. Taking them makes room for more."""
        data = bytes(self._received)
        self._received = bytearray()
        return data

    def take(self, data):
        """For the stream: take as many of these bytes as fit, and return their number."""
        count = min(len(data), self.room - len(self._received))
        self._received.extend(data[:count])
        return count

    def close(self):
        """Close the client's end."""
        self.closed = True
        self.arrived.set()


class FakeLocalStream:
    """The service's end of a connection."""

    def __init__(self, clock, client, process, user, group):
        self._clock = clock
        self._client = client
        self.process = process
        self.user = user
        self.group = group

    async def read_into(self, buffer, deadline=None):
        """Returns how many bytes were read, 0 at the end. If nothing has come it waits for the client; with a deadline it
        moves the clock there instead and raises OSError (ETIMEDOUT)."""
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
        """Write all of `data`. Raises OSError: EPIPE if the client has closed its end, ETIMEDOUT if it reads too slowly."""
        if self._client.closed:
            raise OSError(EPIPE, "the client has gone")
        if self._client.take(data) < len(data):
            self._clock.move_to(deadline)
            raise OSError(ETIMEDOUT, "the client reads too slowly")

    def close(self):
        """Close the service's end."""
        self._client.refused = True
