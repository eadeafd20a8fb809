# SPDX-License-Identifier: MIT
"""A TLS engine by CPython's ssl, for a PC without libphonetrust. It is used like hal/native_tls.py.

OpenSSL computes the phone's whole answer before the caller can look at the server's certificate, so the answer is held back
until accept(). Old keys are accepted (old clusters have RSA of 1024 bits and SHA-1), because the caller decides.
"""

import base64
import errno
import os
import ssl


class Tls:
    """Makes connections."""

    name = "ssl"

    def connect(self, identity=None, server_name=None, static_rsa=False):
        """A new Connection. identity: (certificate DER, private key DER), or None. server_name: text, or None. static_rsa: offer
        key exchange by RSA encryption, too. Raises ValueError if the identity cannot be used.
        """
        return Connection(context(identity, static_rsa), server_name)


class Connection:
    """One TLS connection without I/O. Its names and states are those of hal/native_tls.py."""

    awaited = None

    def __init__(self, context, server_name):
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self.state = "handshake"
        self.failure = None
        self.certificate = None
        self._accepted = False
        self._done = False
        self._shake()

    @property
    def wants_input(self):
        """Whether the connection needs bytes of the server to go on."""
        return self.state in ("handshake", "open") and not self._incoming.pending and not self._outgoing.pending

    def output(self):
        """Bytes for the server; b"" if there are none now."""
        return b"" if self.state == "judge" else self._outgoing.read()

    def receive(self, data):
        """Take bytes that the server sent. Raises OSError if TLS fails."""
        self._incoming.write(data)
        if self.state == "handshake":
            self._shake()

    def cut(self):
        """The server has closed its transport. Raises OSError unless it ended TLS before (close_notify)."""
        if self.state not in ("ended", "shut"):
            self._fail("tls-cut", "the server cut the connection")

    def accept(self):
        """Go on, because the certificate is believed. Raises ValueError in another state than "judge"."""
        if self.state != "judge":
            raise ValueError(f"accept in state {self.state}")
        self._accepted = True
        self.state = "open" if self._done else "handshake"

    def read_into(self, buffer):
        """Move plaintext into `buffer`. Returns how many bytes, 0 if there are none now. Raises OSError if TLS fails."""
        if self.state != "open":
            return 0
        try:
            count = self._tls.read(len(buffer), buffer)
        except ssl.SSLWantReadError:
            return 0
        except ssl.SSLError as error:
            self._fail("tls", error.reason or str(error))
        if not count:
            self.state = "ended"
        return count

    def write(self, data):
        """Encrypt plaintext. Returns how many bytes were taken. Raises OSError if TLS fails."""
        try:
            return self._tls.write(data)
        except ssl.SSLWantReadError:
            return 0
        except ssl.SSLError as error:
            self._fail("tls", error.reason or str(error))

    def shut(self):
        """End TLS. output() then has the close_notify."""
        if self.state == "judge":
            self._outgoing.read()  # the phone's answer, which the server must not see
        elif self.state == "open":
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass  # the close_notify is written; ssl also waits for the server's, which is not needed
        self.state = "shut"

    def free(self):
        """Do nothing, because Python frees the connection by itself."""

    def _shake(self):
        try:
            self._tls.do_handshake()
            self._done = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._fail("tls", error.reason or str(error))
        if self._accepted:
            self.state = "open" if self._done else "handshake"
        elif self._outgoing.pending:
            self.certificate = shown_certificate(self._tls)
            self.state = "handshake" if self.certificate is None else "judge"

    def _fail(self, failure, sentence):
        self.failure = failure
        self.state = "failed"
        raise OSError(errno.EPROTO, f"TLS: {sentence}") from None


def shown_certificate(connection):
    """The server's certificate (DER) as soon as it has come, or None. getpeercert() returns it only after the handshake."""
    if hasattr(connection, "get_unverified_chain"):  # from Python 3.13 on
        chain = connection.get_unverified_chain()
        return bytes(chain[0]) if chain else None
    chain = connection._sslobj.get_unverified_chain()
    return ssl.PEM_cert_to_DER_cert(chain[0].public_bytes()) if chain else None


def context(identity=None, static_rsa=False):
    """A client context that checks nothing, and shows identity = (certificate DER, private key DER) if the server asks.

    Raises ValueError if the identity is unreadable, or if the key is not the certificate's.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("DEFAULT:@SECLEVEL=0" if static_rsa else "DEFAULT:!kRSA:@SECLEVEL=0")
    if identity is not None:
        certificate, key = identity
        pem = ssl.DER_cert_to_PEM_cert(bytes(certificate)) + key_pem(key)
        # ssl lets OpenSSL read keys only from files. The file is in memory, so that the key does not reach a disk.
        memory = os.memfd_create("identity")
        try:
            os.write(memory, pem.encode())
            made.load_cert_chain(f"/proc/self/fd/{memory}", password="")
        except ssl.SSLError as error:
            raise ValueError(f"identity: {error}") from None
        finally:
            os.close(memory)
    return made


def key_pem(der):
    """A private key in DER as PEM. It is PKCS#8, PKCS#1 (RSA) or SEC 1 (EC); version and next tag tell which."""
    der = bytes(der)
    header = 4 if der[1:2] == b"\x82" else 3 if der[1:2] == b"\x81" else 2
    version, following = der[header + 2 : header + 3], der[header + 3 : header + 4]
    kind = "EC " if version == b"\x01" else "RSA " if following == b"\x02" else ""
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{base64.encodebytes(der).decode()}-----END {kind}PRIVATE KEY-----\n"
