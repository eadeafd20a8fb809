# SPDX-License-Identifier: MIT
"""Conformance of the HALs: servers that break TLS, drip or never stop, and what leaves the phone before it says yes."""

import contextlib
import socket
import threading
import time

import pytest

from tests.helpers.servers import hal_sides

EACCES, EPROTO, ETIMEDOUT = 13, 71, 110
HANDSHAKE, ALERT = 22, 21
WARNING = b"\x15\x03\x03\x00\x02\x01\x5a"  # alert: warning, user_canceled


@pytest.fixture(params=hal_sides.REAL)
def real(request):
    return hal_sides.side(request.param)


def connect(real, handle, patience, **options):
    with hal_sides.serving(handle) as port:
        return real.probe("connect", kind="tls", port=port, patience=patience, **options)


def test_silence_ends_at_the_deadline(real):
    found = connect(real, lambda connection: connection.recv(10000) and connection.recv(10000), 500)
    assert found["found"] == {"error": ETIMEDOUT} and 450 <= found["took"] < 5000 and found["asked"] == []


def test_garbage_is_no_tls(real):
    def garbage(connection):
        connection.recv(10000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4)
        connection.recv(10000)

    assert connect(real, garbage, 20000)["found"] == {"error": EPROTO}


def test_an_end_within_the_handshake_is_broken_tls(real):
    assert connect(real, lambda connection: connection.recv(10000), 20000)["found"] == {"error": EPROTO}


def test_a_record_that_drips_in_ends_at_the_deadline(real):
    def drips(connection):
        connection.recv(10000)
        connection.sendall(b"\x16\x03\x03\x40\x00\x02")
        while True:
            time.sleep(0.03)
            connection.sendall(b"\0")

    found = connect(real, drips, 700)
    assert found["found"] == {"error": ETIMEDOUT} and 650 <= found["took"] < 5000 and found["asked"] == []


def test_warnings_without_end_do_not_hold_the_handshake(real):
    def warns(connection):
        connection.recv(10000)
        while True:
            connection.sendall(WARNING)

    found = connect(real, warns, 20000)
    assert found["found"] == {"error": EPROTO} and found["took"] < 15000


def test_a_handshake_has_a_budget_of_bytes(real):
    # A ClientHello is no answer to one, and OpenSSL reads handshake messages of any type up to 16 KB before it says so;
    # hello requests, which it ignores, come without end.
    sent = []

    def never_stops(connection):
        connection.recv(10000)
        while True:
            sent.append(connection.send(b"\x16\x03\x03\x00\x04\0\0\0\0" * 1000))

    found = connect(real, never_stops, 20000)
    assert found["found"] == {"error": EPROTO} and found["took"] < 15000


def records(data):
    """The types of the TLS records in `data`."""
    types = []
    while len(data) >= 5:
        types.append(data[0])
        data = data[5 + int.from_bytes(data[3:5], "big") :]
    assert not data
    return types


@pytest.mark.parametrize("version", hal_sides.VERSIONS)
def test_nothing_of_the_phone_leaves_before_it_says_yes(real, identities, version):
    """A relay sees one handshake record, the ClientHello, and after it at most an alert."""
    own = identities["rsa2048"]
    context = hal_sides.server_context(identities["p256"], version, client=own)
    seen = []

    def relay(connection):
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=pump, args=(server, connection), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := connection.recv(65536):
                    seen.append(data)
                    server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)
            back.join(10)

    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)

    shown = [own.der.hex(), own.key.hex()]
    with real.tcp(hal_sides.ANSWERS, context) as port:
        found = connect(real, relay, 20000, identity=shown, verdict=False, pause=200)
    assert found["found"] == {"error": EACCES} and found["asked"] == [identities["p256"].der.hex()]
    types = records(b"".join(seen))
    goodbye = [] if real.name == "host-ssl" else [ALERT]  # Python's ssl closes without a word
    assert types == [HANDSHAKE, *goodbye]
