# SPDX-License-Identifier: MIT
"""A TLS server on loopback for tests: it speaks good TLS 1.2 or 1.3 except where a Twist changes it.

    with HostileServer(Server12, identity, Twist()) as server:
        ... connect to server.port ...

A Twist is asked before each handshake message leaves, and may change it, send something else, stop or close.
"""

import os
import socket
import threading

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.helpers.tls.wire import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CLOSE_NOTIFY,
    HANDSHAKE,
    P256,
    Agreement,
    Gone,
    Hello,
    Keys12,
    Keys13,
    Reader,
    digest,
    expand,
    extension,
    mac,
    message,
    prf,
    record,
    sign,
    sized,
)  # fmt: skip

PATIENCE = 30  # seconds after which a server's thread gives up
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446, 4.1.3


class Twist:
    """Changes nothing; cases override methods. `server` is the Server12 or Server13 of the connection."""

    retries = 0  # HelloRetryRequests before the ServerHello
    cookie = b""  # their extensions in place of a request for another curve
    asks = False  # for a client certificate
    pss = False  # an RSA key signs by PSS in TLS 1.2, too

    def before(self, server, name):
        """Before this handshake message, or "data", is sent."""

    def change(self, server, name, body):
        """The body of a handshake message to send; signature and digest are over the original body."""
        return body

    def certificate(self, server):
        """The DER that is shown and digested."""
        return server.identity.certificate

    def signer(self, server):
        """The private key that signs."""
        return server.identity.private

    def signature(self, data):
        """The signature to send."""
        return data

    def finished(self, server, cipher):
        """The Finished of a Server13 has left; `cipher` seals the data that it may send already."""

    def opened(self, server):
        """The handshake has ended."""
        server.data(b"hello")
        server.close_notify()


class Close(Exception):
    """The server closes the connection now."""


class Server:
    """The common part of both versions. `log`: the types of the client's handshake messages."""

    cipher = None  # of what is sent

    def __init__(self, sock, identity, twist):
        self.sock, self.identity, self.twist = sock, identity, twist
        self.reader = Reader(sock)
        self.transcript = b""
        self.log = []

    def raw(self, data):
        """Bytes onto the wire."""
        self.sock.sendall(data)

    def seal(self, kind, body):
        """A record as it is due now, encrypted or not."""
        return self.cipher.seal(kind, body) if self.cipher else record(kind, body)

    def send(self, name, body):
        """One handshake message through the twist."""
        self.twist.before(self, name)
        self.transcript += message(name, body)
        self.raw(self.seal(HANDSHAKE, message(name, self.twist.change(self, name, body))))

    def data(self, data):
        """Application data."""
        self.twist.before(self, "data")
        self.raw(self.seal(APPLICATION_DATA, data))

    def close_notify(self):
        """An orderly end."""
        self.raw(self.seal(ALERT, CLOSE_NOTIFY))

    def stall(self):
        """Stay silent until the client has gone."""
        try:
            while self.sock.recv(4096):
                pass
        except OSError:
            pass
        raise Gone

    def hear(self):
        """The client's next handshake message, into the transcript."""
        kind, whole = self.reader.message()
        self.log.append(kind)
        self.transcript += whole
        return kind, whole[4:]

    def scheme(self, data, pss):
        """scheme and signature as TLS carries them."""
        algorithm, signature = sign(self.twist.signer(self), data, pss)
        return algorithm + sized(self.twist.signature(signature), 2)


class Server12(Server):
    """TLS 1.2: ECDHE on P-256 with the identity's kind of key, AES-128-GCM."""

    MESSAGES = ("ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone", "Finished")

    def run(self):
        """One connection."""
        hello = Hello(self.hear()[1])
        random = os.urandom(32)
        suite = b"\xc0\x2f" if isinstance(self.identity.private, rsa.RSAPrivateKey) else b"\xc0\x2b"
        extensions = extension(0xFF01, b"\0") + extension(11, b"\x01\x00")
        self.send("ServerHello", b"\x03\x03" + random + b"\0" + suite + b"\0" + sized(extensions, 2))
        self.send("Certificate", sized(sized(self.twist.certificate(self), 3), 3))
        agreement = Agreement()
        parameters = b"\x03" + P256 + sized(agreement.point, 1)
        signed = self.scheme(hello.random + random + parameters, self.twist.pss)
        self.send("ServerKeyExchange", parameters + signed)
        if self.twist.asks:
            self.send("CertificateRequest", b"\x02\x01\x40" + sized(b"\x04\x01\x04\x03", 2) + b"\0\0")
        self.send("ServerHelloDone", b"")
        self._client_flight(agreement, hello.random, random)
        self.twist.opened(self)

    def _client_flight(self, agreement, client_random, random):
        kind, body = self.hear()
        while kind != 16:
            kind, body = self.hear()
        master = prf(agreement.secret(body[1:]), b"master secret", client_random + random, 48)
        block = prf(master, b"key expansion", random + client_random, 40)
        if self.twist.asks and 11 in self.log and self._showed():
            self.hear()  # CertificateVerify
        while self.reader.record()[0] != CHANGE_CIPHER_SPEC:
            pass
        self.reader.opener = Keys12(block[:16], block[32:36])
        self.hear()
        cipher = Keys12(block[16:32], block[36:40])
        verify = prf(master, b"server finished", digest(self.transcript), 12)
        self.twist.before(self, "Finished")
        self.raw(record(CHANGE_CIPHER_SPEC, b"\x01"))
        self.cipher = cipher
        self.raw(self.seal(HANDSHAKE, message("Finished", self.twist.change(self, "Finished", verify))))

    def _showed(self):
        # The client's Certificate message stands in the transcript, with or without a certificate in it.
        return message("Certificate", b"\0\0\0") not in self.transcript


class Server13(Server):
    """TLS 1.3: P-256, AES-128-GCM."""

    MESSAGES = ("ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished")

    def run(self):
        """One connection."""
        hello = Hello(self.hear()[1])
        for _ in range(self.twist.retries):
            self._retry(hello)
            hello = Hello(self.hear()[1])
        agreement = Agreement()
        share = extension(51, P256 + sized(agreement.point, 2)) + extension(43, b"\x03\x04")
        self.send("ServerHello", self._hello(os.urandom(32), hello, share))
        zero = bytes(32)
        early = mac(zero, zero)
        secret = mac(expand(early, b"derived", digest(b""), 32), agreement.secret(hello.share()))
        client, self.cipher = self._keys(secret, b"hs")
        self.reader.opener = client
        self.send("EncryptedExtensions", b"\0\0")
        if self.twist.asks:
            schemes = extension(13, sized(b"\x08\x04\x04\x03", 2))
            self.send("CertificateRequest", b"\0" + sized(schemes, 2))
        self.send("Certificate", b"\0" + sized(sized(self.twist.certificate(self), 3) + b"\0\0", 3))
        proof = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + digest(self.transcript)
        self.send("CertificateVerify", self.scheme(proof, True))
        self.send("Finished", self.cipher.finished(self.transcript))
        master = mac(expand(secret, b"derived", digest(b""), 32), zero)
        client_data, cipher = self._keys(master, b"ap")
        self.twist.finished(self, cipher)
        while self.hear()[0] != 20:
            pass
        self.cipher, self.reader.opener = cipher, client_data
        self.twist.opened(self)

    def _hello(self, random, hello, extensions):
        return b"\x03\x03" + random + sized(hello.session, 1) + b"\x13\x01\x00" + sized(extensions, 2)

    def _retry(self, hello):
        # The first ClientHello is replaced by its digest (RFC 8446, 4.4.1).
        self.transcript = b"\xfe\0\0\x20" + digest(self.transcript)
        wanted = extension(51, b"\x00\x18" if hello.share() else P256)
        if self.twist.cookie:
            wanted = extension(44, sized(self.twist.cookie, 2))
        wanted += extension(43, b"\x03\x04")
        body = self._hello(RETRY_RANDOM, hello, wanted)
        self.transcript += message("ServerHello", body)
        self.raw(record(HANDSHAKE, message("ServerHello", body)))

    def _keys(self, secret, which):
        context = digest(self.transcript)
        return [Keys13(expand(secret, side + which + b" traffic", context, 32)) for side in (b"c ", b"s ")]


class HostileServer:
    """Listens on a free port and serves each connection by a Server12 or Server13 of its own.

    `logs`: of each connection the types of the client's handshake messages. `errors`: unexpected exceptions.
    """

    def __init__(self, kind, identity, twist):
        self._make = lambda sock: kind(sock, identity, twist)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.logs, self.errors, self._threads = [], [], []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock):
        sock.settimeout(PATIENCE)
        server = self._make(sock)
        self.logs.append(server.log)
        try:
            server.run()
        except (Gone, Close, OSError):
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a server's thread hangs"
        if not any(error):
            assert self.errors == []
