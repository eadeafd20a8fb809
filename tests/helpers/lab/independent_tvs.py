# SPDX-License-Identifier: MIT
"""A small TVS server that knows only CERT_VERIFICATION, written for tests from docs/spec/tvs.md alone.

It shares no code with agent/ nor with host_tools/lab. It closes the connection on a request that it does not know.
"""

import contextlib
import socket
import ssl
import struct
import threading


class VerificationServer:
    """TVS on (`address`, `port`) that shows the certificate in the PEM file `identity` (with its key) and vouches for
    `known`, {certificate DER: roles}. commands: of the requests it had. A context manager."""

    def __init__(self, address, port, identity, known):
        self.known = known
        self.commands = []
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(identity)
        self._listener = socket.create_server((address, port))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the accept() of the thread
        self._thread.join()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(10)
            with plain, contextlib.suppress(OSError), self._tls.wrap_socket(plain, server_side=True) as stream:
                self._serve(stream)

    def _serve(self, stream):
        with stream.makefile("rb") as reader:
            while len(header := reader.read(10)) == 10:
                protocol, version, command, _, session, length = struct.unpack(">BBBBIH", header)
                body = reader.read(length)
                self.commands.append(command)
                if (protocol, version, command) != (0x57, 1, 1):
                    return
                stream.sendall(self._answer(session, body))

    def _answer(self, session, body):
        values = {}
        while body:
            tag, length = struct.unpack(">BH", body[:3])
            values[tag], body = body[3 : 3 + length], body[3 + length :]
        roles = self.known.get(values[2])
        answer = b"\7\0\1" + (b"\1" if roles is None else b"\0")
        if roles is not None:
            answer += struct.pack(">BH", 8, len(roles)) + bytes(roles) + b"\x09\0\4" + struct.pack(">I", 3600)
        return struct.pack(">BBBBIH", 0x57, 1, 2, 0xF7, session, len(answer)) + answer
