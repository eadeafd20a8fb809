# SPDX-License-Identifier: MIT
"""TLS servers on loopback for the tests of TVS and CAPF: each runs a function for every connection, in a thread."""

import datetime
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PATIENCE = 20  # seconds; a server thread gives up after that, whatever the test does


class Identity:
    """A key and a certificate, both made here. `.certificate` is DER, `.key` PKCS#8 DER, `.private` the key object."""

    def __init__(self, name, kind="ec", issuer=None, public_key=None):
        if kind == "ec":
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        signer = issuer or self
        self.x509 = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.x509.subject if issuer else subject)
            .public_key(public_key or self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .sign(signer.private, hashes.SHA256())
        )
        self.certificate = self.x509.public_bytes(serialization.Encoding.DER)
        self.key = self.private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def write(self, folder):
        """Certificate and key in one PEM file, as ssl wants them; its path."""
        path = folder / f"{self.x509.subject.rfc4514_string()}-{self.x509.serial_number}.pem"
        path.write_bytes(
            self.x509.public_bytes(serialization.Encoding.PEM)
            + self.private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return path


class Server:
    """Calls `handler(connection, server)` for each connection, TLS already spoken unless `identity` is None.

    `heard` collects what a handler puts there. `client_certificate` is the last client certificate (DER). `failures` are
    unexpected exceptions of handlers: close() raises the first. Like real servers it uses the client's order of signature
    algorithms (Python's own default is the server's order).
    """

    def __init__(self, handler, identity=None, folder=None, version=None, ask_for=None):
        self.handler = handler
        self.heard = []
        self.connections = 0
        self.client_certificate = None
        self.failures = []
        self.stopped = threading.Event()
        self.context = None
        if identity:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(identity.write(folder))
            self.context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
            if version:
                self.context.minimum_version = self.context.maximum_version = version
            if ask_for:
                self.context.verify_mode = ssl.CERT_REQUIRED
                self.context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the very certificate, whoever issued it
                self.context.load_verify_locations(cadata=ask_for)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.stopped.is_set():
                connection.close()
                return
            self.connections += 1
            connection.settimeout(PATIENCE)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
                self.client_certificate = connection.getpeercert(True)
            self.handler(connection, self)
        except (OSError, EOFError):
            pass  # the phone went away: often what the test wants
        except Exception as error:
            self.failures.append(error)
        finally:
            connection.close()

    def close(self):
        self.stopped.set()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            pass
        self.listener.close()
        for thread in [self.thread, *self.threads]:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a server thread hangs"
        if self.failures:
            raise self.failures[0]


def receive(connection, count):
    """Exactly `count` bytes; EOFError when the other end closes before."""
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def element(tag, value):
    return bytes((tag,)) + len(value).to_bytes(2, "big") + value


def until_gone(connection):
    """Wait until the phone ends the connection."""
    while connection.recv(1000):
        pass
