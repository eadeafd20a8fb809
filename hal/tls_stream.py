# SPDX-License-Identifier: MIT
"""A TLS connection on both Pythons: moves bytes between a stream and a TLS engine that does no I/O.

The engine is a Connection as hal/native_tls.py describes it. This module keeps the deadlines and the limit of bytes, so that no
server can hold a handshake or an answer open by sending a little now and then.
"""

EBADF, EACCES, EPIPE, EPROTO, ECONNRESET, ETIMEDOUT = 9, 13, 32, 71, 104, 110

#: How many bytes a server may send until the handshake has ended.
HANDSHAKE_BYTES = 65536
CHUNK = 4096  # bytes received at once
#: How often in a row an engine may want to be called again without bytes of the server. More is a fault of the engine.
TURNS = 1000


def server_name(host):
    """The host name that the server is told (SNI), or None for an address in digits."""
    return None if is_numeric(host) else host


async def connect(net, connection, clock, host, port, deadline, accept):
    """A TlsStream whose server accept() has accepted, for net.tls() of both HALs. connection: of the engine; it is freed here
    or by close(). Raises OSError as net.tls()."""
    try:
        plain = await net.tcp(host, port, deadline)
    except BaseException:
        connection.free()
        raise
    stream = TlsStream(plain, connection, clock)
    await stream.shake_hands(deadline, accept)
    return stream


def is_numeric(host):
    """Whether the host is an address in digits, not a name."""
    return ":" in host or not host.replace(".", "0").rstrip("0123456789")


class TlsStream:
    """One TLS connection. Call shake_hands() first. plain: the stream below. connection: of the engine; close() frees it."""

    def __init__(self, plain, connection, clock):
        self._plain = plain
        self._connection = connection
        self._clock = clock
        self._buffer = bytearray(CHUNK)
        self._cut = False
        self._turns = 0
        self.orderly = False
        self.peer_certificate = None

    async def shake_hands(self, deadline, accept):
        """Do the whole handshake before the deadline. After the server has shown its certificate and proved its key,
        accept(certificate DER) is awaited. The phone sends nothing of its own before accept() returns True.

        Raises OSError: EACCES if accept() returns False, EPROTO if TLS fails, ETIMEDOUT ... The stream is closed then."""
        try:
            received = 0
            while self._connection.state != "open":
                received += await self._shake(deadline, accept)
                if received > HANDSHAKE_BYTES:
                    raise OSError(EPROTO, "TLS: the server sent more than %d bytes of handshake" % HANDSHAKE_BYTES)
            await self._send(deadline)
        except BaseException:
            self.close()
            raise

    async def _shake(self, deadline, accept):
        # Does one step. Returns how many bytes it received.
        connection = self._connection
        await self._send(deadline)
        if connection.state == "judge":
            certificate = connection.certificate
            if not await accept(certificate):
                raise OSError(EACCES, "the server's certificate is not accepted")
            connection.accept()
            self.peer_certificate = certificate
            return 0
        if self._clock.monotonic() >= deadline:
            raise self._late()
        if connection.state != "handshake":
            raise OSError(EPROTO, "TLS: the server ended the handshake")
        if not connection.wants_input:
            await self._go_on()
            return 0
        try:
            return await self._receive(deadline)
        except OSError as error:
            raise self._late() if error.args[0] == ETIMEDOUT else error

    async def read_into(self, buffer, deadline):
        """Returns how many bytes were read, 0 at the end. `orderly` then says whether the server announced the end.

        Raises OSError: ETIMEDOUT if no bytes come before the deadline, EPROTO if TLS fails."""
        connection = self._open()
        waited = False
        while not self._cut:
            count = connection.read_into(buffer)
            if count:
                self._turns = 0
                return count
            if waited and self._clock.monotonic() >= deadline:
                raise self._late()  # bytes kept coming, but no plaintext was among them
            waited = True
            if connection.wants_input:
                await self._advance(deadline)
            elif connection.state == "ended":
                self.orderly = True
                return 0
            elif not await self._send(deadline):
                await self._advance(deadline)
        return 0

    async def write(self, data, deadline):
        """Write all of `data`. Raises OSError: ETIMEDOUT, EPROTO if TLS fails, EPIPE if the connection has ended."""
        connection = self._open()
        view = memoryview(data)
        while len(view):
            if self._cut or connection.state == "ended":
                raise OSError(EPIPE, "the server has ended the connection")
            count = connection.write(view)
            view = view[count:]
            if not await self._send(deadline) and not count:
                if self._clock.monotonic() >= deadline:
                    raise OSError(ETIMEDOUT, "the other side takes nothing")
                await self._advance(deadline)
            self._open()

    def close(self):
        """Close the connection, and send close_notify if that needs no wait."""
        connection = self._connection
        if connection is None:
            return
        self._connection = None
        try:
            connection.shut()
            self._plain.write_now(connection.output())
        except OSError:
            pass  # TLS had failed before
        connection.free()
        self._plain.close()

    def _open(self):
        if self._connection is None:
            raise OSError(EBADF, "the connection is closed")
        return self._connection

    def _late(self):
        awaited = self._connection.awaited
        return OSError(ETIMEDOUT, "no %s in time" % awaited if awaited else "no answer in time")

    async def _advance(self, deadline):
        # Nothing is left to send: use the bytes that came before, or wait for the server.
        if not self._open().wants_input:
            await self._go_on()
        elif not await self._receive(deadline):
            self._cut = True

    async def _go_on(self):
        # The engine can go on with bytes that came before, now that its output has been sent.
        self._turns += 1
        if self._turns > TURNS:
            raise OSError(EPROTO, "TLS: a fault of the phone: the engine neither sends nor receives")
        self._open().receive(b"")
        await self._clock.sleep(0)

    async def _send(self, deadline):
        # Returns whether there was anything to send.
        data = self._open().output()
        if data:
            try:
                await self._plain.write(data, deadline)
            except OSError as error:
                if error.args[0] in (EPIPE, ECONNRESET):
                    await self._last_words(deadline)
                raise
        return bool(data)

    async def _last_words(self, deadline):
        # The server has hung up. Raises OSError (EPROTO) if an alert that came before says why.
        count = True
        while count:
            try:
                count = await self._plain.read_into(self._buffer, deadline)
            except OSError:
                return
            if self._open().state not in ("ended", "shut"):
                self._open().receive(memoryview(self._buffer)[:count])

    async def _receive(self, deadline):
        # Returns how many bytes came, 0 if the connection was cut after the handshake.
        connection = self._open()
        count = await self._plain.read_into(self._buffer, deadline)
        self._open()
        self._turns = 0
        if count:
            connection.receive(memoryview(self._buffer)[:count])
            return count
        before = connection.state
        try:
            connection.cut()
        except OSError:
            if connection.failure != "tls-cut" or before == "handshake":
                raise
        return 0
