# SPDX-License-Identifier: MIT
"""The net part of the HAL under MicroPython: described in `hal/__init__.py`.

An address is the packed struct sockaddr_in, which is what MicroPython's sockets take: family:2 (the machine's order),
port:2, IPv4 address:4, zeros:8. A TLS handshake runs without blocking, so that its timeout holds for the whole of it.
MicroPython's readinto waits until the whole buffer is full, so what comes in is read by libc, or without blocking.
"""

import os
import select
import socket
import struct
import time

import tls as tls_module

from hal.device.libc import EINTR, libc
from hal.poller import Poller

ENOENT, EEXIST, EAGAIN, EPROTO, EINPROGRESS, ETIMEDOUT = 2, 17, 11, 71, 115, 110
SOL_TCP, TCP_NODELAY = 6, 1
SOL_SOCKET, SO_PEERCRED = 1, 17
MSG_DONTWAIT = 0x40
S_IFMT, S_IFSOCK = 0o170000, 0o140000
ADDRESS_SIZE = 16
# mbedTLS 3.6, when it offers TLS 1.3 too, offers RSA-PSS signatures and then refuses them in TLS 1.2, which is what an
# OpenSSL server with an RSA certificate and no TLS 1.3 chooses. Key exchange by RSA itself has no such signature.
ILLEGAL_PARAMETER = -26112
RSA_SUITES = (
    "TLS-RSA-WITH-AES-256-GCM-SHA384",
    "TLS-RSA-WITH-AES-128-GCM-SHA256",
    "TLS-RSA-WITH-AES-256-CBC-SHA",
    "TLS-RSA-WITH-AES-128-CBC-SHA",
)

_recvfrom = libc.func("l", "recvfrom", "ipLipp")
_recv = libc.func("l", "recv", "ipLi")
_umask = libc.func("i", "umask", "i")
_getsockopt = libc.func("i", "getsockopt", "iiipp")


class Net:
    """All of `net`; keeps nothing between calls."""

    def resolve(self, host, port):
        """The packed address of a name or a dotted address. OSError where there is none."""
        try:
            return bytes(socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][-1])[:ADDRESS_SIZE]
        except (OSError, IndexError):
            raise OSError(ENOENT, "no address for " + host)

    def address_text(self, address):
        """ "192.0.2.1:69"."""
        return "%d.%d.%d.%d:%d" % (address[4], address[5], address[6], address[7], address[2] << 8 | address[3])

    def same_host(self, first, second):
        """True where both are the same host, on whatever ports."""
        return first[4:8] == second[4:8]

    def udp(self):
        """A UDP socket on a free port."""
        return UdpSocket()

    def tcp(self, host, port, timeout):
        """A connected stream. OSError: refused, unreachable, ETIMEDOUT."""
        return Stream(_connect(self.resolve(host, port), timeout))

    def tls(self, host, port, timeout, identity=None):
        """A TLS stream whose peer_certificate is set. OSError as tcp; EPROTO where TLS fails; ValueError: identity."""
        context = tls_module.SSLContext(tls_module.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls_module.CERT_NONE
        if identity is not None:
            try:
                context.load_cert_chain(bytes(identity[0]), bytes(identity[1]))
            except (OSError, ValueError) as error:
                raise ValueError("identity: %s" % error)
        address = self.resolve(host, port)
        for suites in (None, RSA_SUITES):
            if suites:
                context.set_ciphers(suites)
            plain = _connect(address, timeout)
            try:
                return TlsStream(plain, context.wrap_socket(plain, do_handshake_on_connect=False), timeout)
            except OSError as error:
                plain.close()
                if suites or error.errno != ILLEGAL_PARAMETER:
                    raise _tls_error(error)

    def listen_local(self, path):
        """A listening Unix socket at `path`, for this user only; a socket file left behind there is replaced."""
        return Listener(path)

    def poller(self):
        """Waits for several things at once."""
        return Poller()


class UdpSocket:
    """One UDP socket. A datagram goes straight into the caller's buffer."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._number = self._socket.fileno()
        self._address = bytearray(ADDRESS_SIZE)
        self._address_size = bytearray(4)
        self._timeout = None

    def send(self, data, address):
        """Send one datagram."""
        self._socket.sendto(data, address)

    def receive_into(self, buffer, timeout):
        """(count, address) of the next datagram, None after `timeout` ms."""
        if timeout > 0 and timeout != self._timeout:
            self._socket.settimeout(timeout / 1000)
            self._timeout = timeout
        struct.pack_into("I", self._address_size, 0, ADDRESS_SIZE)
        while True:
            count = _recvfrom(
                self._number, buffer, len(buffer), 0 if timeout > 0 else MSG_DONTWAIT, self._address, self._address_size
            )
            if count >= 0:
                return count, bytes(self._address)
            error = os.errno()
            if error == EAGAIN or error == 111:
                return None
            if error != EINTR:
                raise OSError(error)

    def close(self):
        """Give the port back."""
        self._socket.close()


class Stream:
    """One TCP connection; the timeout is set on its socket."""

    peer_certificate = None

    def __init__(self, connected):
        self._socket = connected

    def read_into(self, buffer):
        """Bytes read, 0 at the end. OSError: ETIMEDOUT for silence, ECONNRESET ..."""
        while True:
            count = _recv(self._socket.fileno(), buffer, len(buffer), 0)
            if count >= 0:
                return count
            error = os.errno()
            if error != EINTR:
                raise OSError(ETIMEDOUT if error == EAGAIN else error)

    def write(self, data):
        """Write all of it. OSError as read_into."""
        view = memoryview(data)
        while len(view):
            try:
                count = self._socket.send(view)
            except OSError as error:
                raise OSError(ETIMEDOUT) if error.errno == EAGAIN else error
            view = view[count:]

    def close(self):
        """End the connection."""
        self._socket.close()


class TlsStream:
    """One TLS connection. Its plain socket does not block, as only so a read ends when no more is there, and a
    handshake in its time. What mbedTLS raises in the handshake passes through the constructor as it is.

    MicroPython reads on until the buffer is full, and forgets an end of TLS that came right behind data. So the end
    that counts is that of the TCP connection: a server that ends TLS and keeps the connection open looks silent.
    """

    def __init__(self, plain, secure, timeout):
        self._plain = plain
        self._secure = secure
        self._timeout = timeout
        self._poll = select.poll()
        plain.setblocking(False)
        self._poll.register(plain, select.POLLIN)
        self._first = b""
        self.peer_certificate = self._handshake()

    def _handshake(self):
        # Reading does the handshake on the way. Of a server that speaks first it may read the first byte, too.
        start = time.ticks_ms()
        first = bytearray(1)
        while True:
            count = self._secure.readinto(first)
            if count:
                self._first = bytes(first)
            certificate = self._secure.getpeercert(True)
            if certificate is not None:
                return certificate
            if count is not None:
                raise OSError(EPROTO, "the server ended the handshake")
            left = self._timeout - time.ticks_diff(time.ticks_ms(), start)
            if left <= 0 or not self._poll.poll(left):
                raise OSError(ETIMEDOUT)

    def read_into(self, buffer):
        """As Stream.read_into; EPROTO for broken TLS."""
        if self._first and len(buffer):
            buffer[:1] = self._first
            self._first = b""
            return 1
        while True:
            try:
                count = self._secure.readinto(buffer)
            except OSError as error:
                raise _tls_error(error)
            if count is not None:
                return count
            self._wait(select.POLLIN)

    def write(self, data):
        """As Stream.write; EPROTO for broken TLS."""
        view = memoryview(data)
        while len(view):
            try:
                count = self._secure.write(view)
            except OSError as error:
                raise _tls_error(error)
            if count is None:
                self._wait(select.POLLOUT)
            else:
                view = view[count:]

    def close(self):
        """End the connection."""
        self._secure.close()
        self._plain.close()

    def _wait(self, event):
        self._poll.modify(self._plain, event)
        if not self._poll.poll(self._timeout):
            raise OSError(ETIMEDOUT)


class Listener:
    """A listening Unix socket."""

    def __init__(self, path):
        self._path = path
        if _is_there(path):
            if os.stat(path)[0] & S_IFMT != S_IFSOCK:
                raise OSError(EEXIST, "there is something else of this name")
            _remove(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = _umask(0o117)  # other programs of the phone are of the agent's group
        try:
            self._socket.bind(struct.pack("H", socket.AF_UNIX) + path.encode() + b"\0")
        except OSError:
            self._socket.close()
            raise
        finally:
            _umask(mask)
        self._socket.listen(8)
        self._socket.setblocking(False)

    def accept(self):
        """The next client's stream, None where nobody waits."""
        try:
            return LocalStream(self._socket.accept()[0])
        except OSError as error:
            if error.errno == EAGAIN:
                return None
            raise

    def fileno(self):
        """For the poller."""
        return self._socket.fileno()

    def close(self):
        """Stop listening; the file goes too."""
        if self._path is not None:
            self._socket.close()
            _remove(self._path)
            self._path = None


class LocalStream:
    """One client of a listener; never blocks."""

    def __init__(self, connected):
        self._socket = connected
        connected.setblocking(False)
        credentials = bytearray(12)  # struct ucred: process, user, group
        size = bytearray(struct.pack("I", len(credentials)))
        _getsockopt(connected.fileno(), SOL_SOCKET, SO_PEERCRED, credentials, size)
        self.process = struct.unpack("i", credentials)[0]

    def read_into(self, buffer):
        """Bytes read, 0 at the end, None where nothing is there now."""
        count = _recv(self._socket.fileno(), buffer, len(buffer), MSG_DONTWAIT)
        if count >= 0:
            return count
        error = os.errno()
        if error == EAGAIN or error == EINTR:
            return None
        raise OSError(error)

    def write(self, data):
        """How many bytes were taken, 0 where the other side reads too slowly. OSError: EPIPE where it has gone."""
        try:
            return self._socket.send(data)
        except OSError as error:
            if error.errno == EAGAIN:
                return 0
            raise

    def fileno(self):
        """For the poller."""
        return self._socket.fileno()

    def close(self):
        """End the connection."""
        self._socket.close()


def _connect(address, timeout):
    connected = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connected.settimeout(max(timeout, 1) / 1000)
        connected.setsockopt(SOL_TCP, TCP_NODELAY, 1)
        connected.connect(address)
    except OSError as error:
        connected.close()
        raise OSError(ETIMEDOUT) if error.errno in (EAGAIN, EINPROGRESS) else error
    return connected


def _tls_error(error):
    # MicroPython gives a timeout as -110, other errno as they are, mbedTLS's own errors as large negative numbers.
    number = error.errno
    if number == EPROTO:
        return error
    if number in (-ETIMEDOUT, ETIMEDOUT, EAGAIN):
        return OSError(ETIMEDOUT)
    if isinstance(number, int) and 0 < number < 256:
        return OSError(number)
    return OSError(EPROTO, "TLS: %s" % error)


def _is_there(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _remove(path):
    try:
        os.unlink(path)
    except OSError as error:
        if error.errno != ENOENT:
            raise
