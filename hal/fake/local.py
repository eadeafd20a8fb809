# SPDX-License-Identifier: MIT
"""Unix sockets without sockets, for tests of the phone's service: a listener, its clients, and the poller."""

EDEADLK, EPIPE, ECONNREFUSED = 35, 32, 111


class FakeListener:
    """What listen_local gives; a test calls connect()."""

    def __init__(self, net, path):
        self._net = net
        self._path = path
        self._waiting = []
        self.closed = False

    def connect(self, room=65536, process=1):
        """For the test: a client. room: how many bytes it lets wait for it before it counts as slow. process: the number
        of its program."""
        if self.closed:
            raise OSError(ECONNREFUSED)
        client = FakeClient(room, process)
        self._waiting.append(FakeLocalStream(client))
        return client

    def accept(self):
        """The next client's stream, None where nobody waits."""
        return self._waiting.pop(0) if self._waiting else None

    def ready(self):
        """(readable, writable), for the poller."""
        return bool(self._waiting), False

    def close(self):
        """Stop listening."""
        self.closed = True
        self._net.listeners.pop(self._path, None)


class FakeClient:
    """A client's end, in the test's hands."""

    def __init__(self, room, process):
        self.room = room
        self.process = process
        self.closed = False
        self.refused = False  # the service has closed its end
        self.to_service = bytearray()
        self._received = bytearray()

    def send(self, data):
        """Send bytes to the service."""
        self.to_service.extend(data)

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

    def has_room(self):
        """For the stream: whether a byte would fit."""
        return len(self._received) < self.room

    def close(self):
        """Go away."""
        self.closed = True


class FakeLocalStream:
    """The service's end of one client."""

    def __init__(self, client):
        self._client = client
        self.process = client.process

    def read_into(self, buffer):
        """Bytes read, 0 at the end, None where nothing is there now."""
        waiting = self._client.to_service
        if not waiting:
            return 0 if self._client.closed else None
        count = min(len(waiting), len(buffer))
        buffer[:count] = waiting[:count]
        self._client.to_service = waiting[count:]
        return count

    def write(self, data):
        """How many bytes were taken. OSError (EPIPE) where the client has gone."""
        if self._client.closed:
            raise OSError(EPIPE)
        return self._client.take(data)

    def ready(self):
        """(readable, writable), for the poller."""
        return bool(self._client.to_service) or self._client.closed, self._client.has_room() or self._client.closed

    def close(self):
        """End the connection."""
        self._client.refused = True


class FakePoller:
    """Waits on the fake clock."""

    def __init__(self, clock):
        self._clock = clock
        self._watched = []

    def watch(self, thing, writing=False):
        """Wait until `thing` can be read, and with writing=True also until it can be written."""
        self.forget(thing)
        self._watched.append((thing, writing))

    def forget(self, thing):
        """Wait for it no more."""
        self._watched = [item for item in self._watched if item[0] is not thing]

    def wait(self, timeout):
        """[(thing, readable, writable)], empty after `timeout` ms.

        OSError (EDEADLK) where it would wait without end: nothing else runs that could change anything.
        """
        found = []
        for thing, writing in self._watched:
            readable, writable = thing.ready()
            if readable or writable and writing:
                found.append((thing, readable, writable and writing))
        if not found:
            if timeout is None:
                raise OSError(EDEADLK)
            self._clock.sleep(timeout)
        return found
