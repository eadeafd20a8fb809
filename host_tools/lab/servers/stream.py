# SPDX-License-Identifier: MIT
"""A TCP server in threads, with TLS whose certificate follows the cluster's state: TVS, CAPF, HTTPS, and plain HTTP."""

import contextlib
import socket
import ssl
import tempfile
import threading

from host_tools.lab.errors import LabError

SILENCE = 30.0  # seconds after which a silent client is dropped


def server_context(identity, client_authorities=()):
    """A context that shows `identity`; with `client_authorities` (PEM texts) it asks for the phone's certificate, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # clusters still have 1024-bit keys and SHA-1
    with tempfile.NamedTemporaryFile(suffix=".pem") as pem:  # ssl takes keys from files only; mode 0600
        pem.write(identity.pem())
        pem.flush()
        context.load_cert_chain(pem.name)
    if client_authorities:
        context.load_verify_locations(cadata="\n".join(client_authorities))
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def bound(address, port, what):
    """A TCP socket with this port, 0 = a free one; LabError, naming `what`, where the port cannot be had.

    Several such sockets may have one port, of which one listens. A port that is bound is given to no other program."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((address, port))
    except OSError as error:
        made.close()
        raise LabError(f"{what} cannot listen on {address} port {port}: {error.strerror}") from error
    return made


class StreamServer:
    """Accepts connections on (`address`, `port`), port 0 = a free one, and calls `serve(stream, peer)` for each.

    `identity()` gives the Identity to show and is asked at each connection, so the next handshake after a regeneration
    shows the new one; None instead of a function means no TLS. stop() closes the port, start() opens the same one again.
    `stream` is an ssl.SSLSocket or a socket. `client_authorities()` gives PEM texts, if phones shall show certificates.
    """

    def __init__(self, address, port, what, identity, serve, on_failure, client_authorities=lambda: ()):
        self._address, self._what = address, what
        self._identity, self._serve, self._on_failure = identity, serve, on_failure
        self._client_authorities = client_authorities
        self._contexts = {}
        self._listener = None
        self._connections = set()
        self._lock = threading.Lock()
        self._reserved = bound(address, port, what)  # keeps the port while the server is stopped
        self.port = self._reserved.getsockname()[1]
        try:
            self.start()
        except LabError:
            self.close()
            raise

    @property
    def running(self):
        """True while connections are accepted."""
        return self._listener is not None

    def start(self):
        """Open the port, if it is closed."""
        if self._listener is None:
            listener = bound(self._address, self.port, self._what)
            try:
                listener.listen(64)
            except OSError as error:
                listener.close()
                raise LabError(
                    f"{self._what} cannot listen on {self._address} port {self.port}: {error.strerror}"
                ) from error
            self._listener = listener
            threading.Thread(target=self._accept, args=(listener,), daemon=True, name=self._what).start()

    def stop(self):
        """Close the port and all connections. The port remains reserved: nobody listens, and no other program gets it."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            listener.close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        """Stop for good: the port is free again."""
        self.stop()
        self._reserved.close()

    def _accept(self, listener):
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(connection, peer), daemon=True, name=self._what).start()

    def _connection(self, connection, peer):
        peer_text = f"{peer[0]}:{peer[1]}"
        with self._lock:
            self._connections.add(connection)
        try:
            connection.settimeout(SILENCE)
            # Otherwise an answer waits about 40 ms for the phone's acknowledgement of TLS's session tickets.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._wrapped(connection) as stream:
                with self._lock:
                    self._connections.discard(connection)
                    self._connections.add(stream)
                try:
                    self._serve(stream, peer_text)
                    _say_goodbye(stream)
                finally:
                    with self._lock:
                        self._connections.discard(stream)
        except Exception as error:  # the server goes on whatever a client did, and the log says what happened
            self._on_failure(peer_text, str(error) or type(error).__name__)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _wrapped(self, connection):
        return connection if self._identity is None else self._context().wrap_socket(connection, server_side=True)

    def _context(self):
        identity, authorities = self._identity(), tuple(self._client_authorities())
        key = (identity.der, authorities)
        if key not in self._contexts:
            self._contexts = {key: server_context(identity, authorities)}
        return self._contexts[key]


def _say_goodbye(stream):
    """End TLS in an orderly way, so that the phone can tell the end from a cut."""
    if isinstance(stream, ssl.SSLSocket):
        with contextlib.suppress(OSError, ValueError):  # ValueError: TLS has ended already
            stream.settimeout(1.0)  # for the phone's own goodbye, which few send
            stream.unwrap()


def read_exactly(stream, count):
    """`count` bytes from a stream, or None at its end. OSError when it ends in the middle."""
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            if data:
                raise OSError("the connection ended in the middle of a message")
            return None
        data += part
    return data
