# SPDX-License-Identifier: MIT
"""A TLS client over a plain blocking socket for tests, on both Pythons: a connection's whole life as one record.

As a program it reads the arguments of several exchanges as a JSON list from its standard input, and prints the results as a
JSON list. CPython tests run it inside MicroPython in this way (tests/helpers/tls/pythons.py).
"""

import json
import socket
import sys
import time
from binascii import hexlify, unhexlify

from hal.native_tls import Tls

MICROPYTHON = sys.implementation.name == "micropython"
if MICROPYTHON:
    from hal.device import crypto_binding as _binding
else:
    from hal.host.library import Binding, library_path

    def _binding():
        return Binding(library_path())


BYTES = ("read", "certificate", "sent")
ASKED = 6  # PHONETRUST_TLS_FACT_ASKED of native/phonetrust_tls.h

_made = []


def tls():
    """The Tls of this Python, made once."""
    if not _made:
        _made.append(Tls(_binding()))
    return _made[0]


def _milliseconds():
    return time.ticks_ms() if MICROPYTHON else int(time.monotonic() * 1000)


class Wire:
    """A blocking socket with a deadline for all operations. `sent`: all bytes that went out."""

    def __init__(self, port, deadline):
        self._end = _milliseconds() + deadline
        self._socket = socket.socket()
        self._arm()
        self._socket.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        self.sent = b""

    def _arm(self):
        left = self._end - _milliseconds()
        if left <= 0:
            raise OSError(110, "deadline")
        self._socket.settimeout(left / 1000)

    def send(self, data):
        """Send all of it."""
        self.sent += data
        view = memoryview(data)
        while len(view):
            self._arm()
            view = view[self._socket.send(view) :]

    def receive(self):
        """The bytes that have come, b"" at the end. OSError(110) at the deadline."""
        self._arm()
        try:
            return self._socket.recv(4096)
        except OSError as error:
            if error.errno in (None, 11, 110):  # a timeout in CPython, in MicroPython
                raise OSError(110, "deadline")
            raise

    def close(self):
        """End the connection."""
        self._socket.close()


def shake_hands(connection, wire, believe=True):
    """Up to "open". Returns True, or False where the certificate was not believed."""
    while connection.state in ("handshake", "judge"):
        data = connection.output()
        if data:
            wire.send(data)
        if connection.state == "judge":
            if not believe:
                return False
            connection.accept()
        elif connection.wants_input:
            data = wire.receive()
            if data:
                connection.receive(data)
            else:
                connection.cut()
    wire.send(connection.output())
    return True


def read(connection, wire, enough):
    """Plaintext until there are `enough` bytes or the server ended TLS."""
    found = b""
    room = bytearray(2048)
    while len(found) < enough:
        count = connection.read_into(room)
        found += bytes(room[:count])
        data = connection.output()
        if data:
            wire.send(data)
        if count:
            continue
        if connection.state == "ended":
            break
        if connection.wants_input:
            data = wire.receive()
            if data:
                connection.receive(data)
            else:
                connection.cut()
    return found


def write(connection, wire, data):
    """All of it."""
    view = memoryview(data)
    while len(view):
        taken = connection.write(view)
        view = view[taken:]
        data = connection.output()
        assert taken or data, "neither taken nor sent"
        wire.send(data)


def exchange(port, request=b"", enough=0, identity=None, static_rsa=False, believe=True, deadline=20000, name=None):
    """Handshake, write the request, read `enough` bytes, end TLS. A dict with what happened; no exception of TLS."""
    start = _milliseconds()
    made = tls().connect(identity, name, static_rsa)
    result = {"read": b"", "failure": None, "text": ""}
    wire = None
    try:
        wire = Wire(port, deadline)
        if shake_hands(made, wire, believe):
            write(made, wire, request)
            result["read"] = read(made, wire, enough)
        result["state"] = made.state
        made.shut()
        wire.send(made.output())
    except OSError as error:
        result["failure"] = made.failure or "errno %d" % error.errno
        result["text"] = str(error.args[1]) if len(error.args) > 1 else str(error)
        result["state"] = made.state
        try:
            wire.send(made.output())
        except OSError:
            pass
    finally:
        facts = made.facts()
        result["version"] = made.version
        result["suite"] = made.suite
        result["asked"] = made.facts()[ASKED] == 1
        result["certificate"] = made.certificate or b""
        result["bytes"] = facts[7]
        result["cause"] = facts[10]
        result["awaited"] = made.awaited
        result["milliseconds"] = _milliseconds() - start
        result["sent"] = wire.sent if wire else b""
        if wire:
            wire.close()
        made.free()
    return result


def from_json(given):
    """Arguments of exchange(), bytes made of hexadecimal text."""
    if "request" in given:
        given["request"] = unhexlify(given["request"])
    if given.get("identity"):
        given["identity"] = [unhexlify(part) for part in given["identity"]]
    return given


def to_json(result):
    """A result with hexadecimal text in place of bytes."""
    for key in BYTES:
        result[key] = hexlify(result[key]).decode()
    return result


def main(text):
    """All exchanges, one after the other."""
    print(json.dumps([to_json(exchange(**from_json(given))) for given in json.loads(text)]))


if __name__ == "__main__":
    main(sys.stdin.read())
