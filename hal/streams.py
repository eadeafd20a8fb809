# SPDX-License-Identifier: MIT
"""Streams of bytes over sockets, on both Pythons: TCP connections, and other programs of the phone.

`sockets` is what this Python has for them (hal/host/sockets.py, hal/device/sockets.py): receive(socket, buffer) and
send(socket, data) -> count, None where they would have to wait; readable(socket, deadline) and writable(socket,
deadline), awaited: False at the deadline; rest(): other tasks get their turn; credentials(socket); close(socket).
"""

ETIMEDOUT = 110

#: After so many reads in a row that had nothing to wait for, other tasks get their turn.
BURST = 32


class Stream:
    """One TCP connection."""

    peer_certificate = None

    def __init__(self, sockets, connected):
        self._sockets = sockets
        self._socket = connected
        self._streak = 0
        self.orderly = False

    async def read_into(self, buffer, deadline):
        """Bytes read, 0 at the end. OSError: ETIMEDOUT where nothing comes before the deadline, ECONNRESET ...

        One task may wait here at a time."""
        sockets = self._sockets
        self._streak += 1
        if self._streak >= BURST:
            self._streak = 0
            await sockets.rest()
        while True:
            count = sockets.receive(self._socket, buffer)
            if count is not None:
                self.orderly = self.orderly or not count
                return count
            self._streak = 0
            if not await sockets.readable(self._socket, deadline):
                raise OSError(ETIMEDOUT, "no answer in time")

    async def write(self, data, deadline):
        """Write all of it. OSError: ETIMEDOUT where the other side does not take it, EPIPE, ECONNRESET ..."""
        view = memoryview(data)
        while len(view):
            count = self._sockets.send(self._socket, view)
            if not count:
                if not await self._sockets.writable(self._socket, deadline):
                    raise OSError(ETIMEDOUT, "the other side takes nothing")
            else:
                view = view[count:]

    def write_now(self, data):
        """For a farewell: write what the other side takes without a wait. Never fails."""
        try:
            self._sockets.send(self._socket, data)
        except OSError:
            pass

    def close(self):
        """End the connection; a task that waits for it gets an OSError (EBADF)."""
        self._sockets.close(self._socket)


class LocalStream(Stream):
    """One client of a local listener. process, user, group: the numbers of its program when it connected."""

    def __init__(self, sockets, connected):
        Stream.__init__(self, sockets, connected)
        self.process, self.user, self.group = sockets.credentials(connected)

    async def read_into(self, buffer, deadline=None):
        """As Stream.read_into; without a deadline it waits as long as the client is there."""
        return await Stream.read_into(self, buffer, deadline)
