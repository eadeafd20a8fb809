# SPDX-License-Identifier: MIT
"""Streams of bytes over sockets, on both Pythons: TCP connections, and the clients of the phone's service.

`sockets` is the module with the functions of this Python (hal/host/sockets.py, hal/device/sockets.py): receive(socket, buffer)
and send(socket, data) return a count, or None if they would have to wait; readable(socket, deadline) and writable(socket,
deadline) are awaited, and give False at the deadline; rest() is awaited and lets other tasks run; credentials(socket);
close(socket).
"""

ETIMEDOUT = 110

#: After this many reads in a row that did not have to wait, other tasks may run.
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
        """Returns how many bytes were read, 0 at the end. Raises OSError: ETIMEDOUT if nothing comes before the deadline,
        ECONNRESET ... Only one task at a time may wait here."""
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
        """Write all of `data`. Raises OSError: ETIMEDOUT if the other side does not take it in time, EPIPE, ECONNRESET ..."""
        view = memoryview(data)
        while len(view):
            count = self._sockets.send(self._socket, view)
            if not count:
                if not await self._sockets.writable(self._socket, deadline):
                    raise OSError(ETIMEDOUT, "the other side takes nothing")
            else:
                view = view[count:]

    def write_now(self, data):
        """Write as much as the other side takes without a wait, for TLS's close_notify. Never fails."""
        try:
            self._sockets.send(self._socket, data)
        except OSError:
            pass

    def close(self):
        """Close the connection. A task that waits for it gets OSError (EBADF)."""
        self._sockets.close(self._socket)


class LocalStream(Stream):
    """A client of a local listener. process, user, group: the numbers of its program when it connected."""

    def __init__(self, sockets, connected):
        Stream.__init__(self, sockets, connected)
        self.process, self.user, self.group = sockets.credentials(connected)

    async def read_into(self, buffer, deadline=None):
        """As Stream.read_into(). Without a deadline it waits as long as the client is connected."""
        return await Stream.read_into(self, buffer, deadline)
