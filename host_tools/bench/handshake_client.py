# SPDX-License-Identifier: MIT
"""What the benchmark of handshakes runs in MicroPython: handshake_client.py ours|theirs PORT COUNT.

Makes COUNT connections to a TLS server on loopback: by libphonetrust, or by MicroPython's own `tls`. Prints how many.
"""

import socket
import sys


def connect(port):
    """A connected socket."""
    plain = socket.socket()
    plain.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    return plain


def theirs():
    """A function that makes one handshake by MicroPython's own tls."""
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_NONE

    def shake_hands(plain):
        secure = context.wrap_socket(plain)
        secure.getpeercert(True)
        secure.close()

    return shake_hands


def ours():
    """A function that makes one handshake by libphonetrust."""
    from hal.device import crypto_binding
    from hal.native_tls import Tls

    made = Tls(crypto_binding())

    def shake_hands(plain):
        connection = made.connect()
        while connection.state != "open":
            plain.write(connection.output())
            if connection.state == "judge":
                if connection.certificate:
                    connection.accept()
            else:
                connection.receive(plain.recv(4096))
        plain.write(connection.output())
        connection.shut()
        plain.write(connection.output())
        connection.free()

    return shake_hands


shake = ours() if sys.argv[1] == "ours" else theirs()
count = int(sys.argv[3])
for _ in range(count):
    sock = connect(int(sys.argv[2]))
    shake(sock)
    sock.close()
print(count)
