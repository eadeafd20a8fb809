# SPDX-License-Identifier: MIT
"""TLS of the host HAL, by CPython's ssl; a module of its own, as importing ssl takes time that not every run needs."""

import base64
import contextlib
import errno
import os
import ssl

from hal.host.stream import Stream


def context(identity=None):
    """A client context that checks nothing and shows identity = (certificate DER, private key DER) if asked.

    ValueError: the identity is unreadable, or the key is not the certificate's.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    if identity is not None:
        certificate, key = identity
        pem = ssl.DER_cert_to_PEM_cert(bytes(certificate)) + key_pem(key)
        # OpenSSL through ssl reads keys from files only: one in memory, so that no key reaches a disk.
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
    """PEM of a private key in DER: PKCS#8, PKCS#1 (RSA) or SEC 1 (EC), told apart by what follows the version."""
    der = bytes(der)
    header = 4 if der[1:2] == b"\x82" else 3 if der[1:2] == b"\x81" else 2
    version, following = der[header + 2 : header + 3], der[header + 3 : header + 4]
    kind = "EC " if version == b"\x01" else "RSA " if following == b"\x02" else ""
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{base64.encodebytes(der).decode()}-----END {kind}PRIVATE KEY-----\n"


@contextlib.contextmanager
def errors():
    """Inside, what ssl raises becomes an OSError of the kinds that hal/__init__.py names."""
    try:
        yield
    except TimeoutError:
        raise OSError(errno.ETIMEDOUT, "no answer in time") from None
    except ssl.SSLError as error:
        raise OSError(errno.EPROTO, f"TLS: {error.reason or error}") from None


class TlsStream(Stream):
    """One TLS connection."""

    def __init__(self, secure, peer_certificate):
        Stream.__init__(self, secure)
        self.peer_certificate = peer_certificate

    def read_into(self, buffer):
        """As Stream.read_into; EPROTO for broken TLS."""
        with errors():
            return self._socket.recv_into(buffer)

    def write(self, data):
        """As Stream.write; EPROTO for broken TLS."""
        with errors():
            self._socket.sendall(data)
