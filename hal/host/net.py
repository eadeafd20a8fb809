# SPDX-License-Identifier: MIT
"""The net part of the HAL on CPython: UDP, TCP and TLS over IPv4, Unix sockets for the phone's other programs.

Described in `hal/__init__.py`. IPv4, because a phone's provisioning gives IPv4 addresses. TLS is for a caller who
decides by the peer's certificate: no chain, name or date is checked, and old keys are let through (RSA of 1024 bits
and SHA-1 are what old clusters have; OpenSSL by itself would refuse them before the caller could decide).
"""

import errno
import os
import socket
import stat
import struct

from hal.host.stream import Stream
from hal.poller import Poller

# Linux: seconds and microseconds of struct timeval.
TIMEVAL = "ll"


class Net:
    """All of `net`; keeps nothing between calls."""

    def resolve(self, host, port):
        """(IPv4 address, port) of a name or a dotted address. OSError where there is none."""
        try:
            return socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][4]
        except (socket.gaierror, UnicodeError) as error:
            raise OSError(errno.ENOENT, f"no address for {host}: {error}") from None

    def address_text(self, address):
        """ "192.0.2.1:69"."""
        return f"{address[0]}:{address[1]}"

    def same_host(self, first, second):
        """True where both are the same host, on whatever ports."""
        return first[0] == second[0]

    def udp(self):
        """A UDP socket on a free port."""
        return UdpSocket()

    def tcp(self, host, port, timeout):
        """A connected stream. OSError: refused, unreachable, ETIMEDOUT."""
        return Stream(_connect(self.resolve(host, port), timeout))

    def tls(self, host, port, timeout, identity=None):
        """A TLS stream whose peer_certificate is set. OSError as tcp; EPROTO where TLS fails; ValueError: identity."""
        from hal.host import tls as host_tls

        context = host_tls.context(identity)
        plain = _connect(self.resolve(host, port), timeout)
        try:
            with host_tls.errors():
                secure = context.wrap_socket(plain)
                return host_tls.TlsStream(secure, secure.getpeercert(True))
        except OSError:
            plain.close()
            raise

    def listen_local(self, path):
        """A listening Unix socket at `path`, for this user only; a socket file left behind there is replaced."""
        return Listener(path)

    def poller(self):
        """Waits for several things at once."""
        return Poller()


class UdpSocket:
    """One UDP socket; blocking, with the kernel's own receive timeout: one system call for each datagram."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._timeout = None
        self.send = self._socket.sendto

    def receive_into(self, buffer, timeout):
        """(count, address) of the next datagram, None after `timeout` ms."""
        try:
            if timeout <= 0:
                return self._socket.recvfrom_into(buffer, 0, socket.MSG_DONTWAIT)
            if timeout != self._timeout:
                value = struct.pack(TIMEVAL, timeout // 1000, timeout % 1000 * 1000)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
                self._timeout = timeout
            return self._socket.recvfrom_into(buffer)
        except BlockingIOError:
            return None
        except ConnectionRefusedError:
            return None

    def close(self):
        """Give the port back."""
        self._socket.close()


class Listener:
    """A listening Unix socket."""

    def __init__(self, path):
        self._path = path
        _remove_socket(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            mask = os.umask(0o117)  # other programs of the phone are of its group
            try:
                self._socket.bind(path)
            finally:
                os.umask(mask)
            self._socket.listen(8)
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise

    def accept(self):
        """The next client's stream, None where nobody waits."""
        try:
            return LocalStream(self._socket.accept()[0])
        except BlockingIOError:
            return None

    def fileno(self):
        """For the poller."""
        return self._socket.fileno()

    def close(self):
        """Stop listening; the file goes too."""
        if self._socket.fileno() < 0:
            return
        self._socket.close()
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass


class LocalStream:
    """One client of a listener; never blocks."""

    def __init__(self, connected):
        self._socket = connected
        connected.setblocking(False)
        # struct ucred: process, user, group
        credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.process = struct.unpack("3i", credentials)[0]

    def read_into(self, buffer):
        """Bytes read, 0 at the end, None where nothing is there now."""
        try:
            return self._socket.recv_into(buffer)
        except BlockingIOError:
            return None

    def write(self, data):
        """How many bytes were taken, 0 where the other side reads too slowly. OSError: EPIPE where it has gone."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def fileno(self):
        """For the poller."""
        return self._socket.fileno()

    def close(self):
        """End the connection."""
        self._socket.close()


def _remove_socket(path):
    """Remove a socket that was left behind. OSError (EEXIST) where something else has this name."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "there is something else of this name")
        os.unlink(path)
    except FileNotFoundError:
        pass


def _connect(address, timeout):
    connected = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connected.settimeout(max(timeout, 1) / 1000)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.connect(address)
    except TimeoutError as error:
        connected.close()
        raise OSError(errno.ETIMEDOUT, "no answer in time") from error
    except OSError:
        connected.close()
        raise
    return connected
