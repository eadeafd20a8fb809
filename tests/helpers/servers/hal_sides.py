# SPDX-License-Identifier: MIT
"""The HALs side by side, for the conformance tests: each can run a probe (hal_probe.py) against the same servers.

A TCP or TLS server is a list of steps, played over sockets for the real HALs and as a script for the fake HAL:
("hear",) waits for bytes of the client, ("say", bytes), ("echo",) says "answer to " and what was heard, ("end",) ends in
order, ("cut",) ends without TLS's goodbye, ("reset",), ("stay",) waits until the client goes.
"""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path

from hal.fake import Hal
from tests.helpers.servers import hal_probe

ROOT = Path(__file__).resolve().parents[3]
PROBE = ROOT / "tests" / "helpers" / "servers" / "hal_probe.py"
MICROPYTHON = str(ROOT / "host_tools" / "setup" / "micropython")

ANSWERS = (("hear",), ("echo",), ("stay",))
SAYS_BYE = (("hear",), ("say", b"bye"), ("end",))
IS_CUT = (("hear",), ("say", b"bye"), ("cut",))
RESETS = (("hear",), ("reset",))
SPEAKS_FIRST = (("say", b"first"), ("stay",))
SILENT = (("stay",),)

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def udp_server(server):
    """A UDP server whose answer depends on the request."""
    while True:
        data, source = server.recvfrom(100)
        if data == b"port":
            with socket.socket(server.family, socket.SOCK_DGRAM) as other:
                other.bind((server.getsockname()[0], 0))
                other.sendto(b"other", source)
        elif data == b"long":
            server.sendto(b"0123456789", source)
        elif data == b"echo":
            server.sendto(data, source)


@contextlib.contextmanager
def serving(handle, kind=socket.SOCK_STREAM, host="127.0.0.1"):
    """A server on a free loopback port whose `handle` gets each connection (or the UDP socket); gives the port."""
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    server.bind((host, 0))

    def run():
        with contextlib.suppress(OSError):
            if kind == socket.SOCK_DGRAM:
                handle(server)
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(60)
                    handle(connection)

    thread = threading.Thread(target=run, daemon=True)
    if kind == socket.SOCK_STREAM:
        server.listen(8)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


@contextlib.contextmanager
def closed_port():
    """A port without a listener, which no other program can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def play(steps, connection):
    """The steps over a socket."""
    heard = b""
    for step in steps:
        if step[0] == "hear":
            heard = connection.recv(100)
        elif step[0] == "say":
            connection.sendall(step[1])
        elif step[0] == "echo":
            connection.sendall(b"answer to " + heard)
        elif step[0] == "stay":
            while connection.recv(10000):
                pass
        elif step[0] == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif step[0] == "end" and isinstance(connection, ssl.SSLSocket):
            connection.settimeout(0)  # do not wait for the client's goodbye
            with contextlib.suppress(ssl.SSLWantReadError):
                connection.unwrap()


def scripted(steps):
    """The steps as a server of the fake network."""
    left = {}

    def server(peer, data):
        rest = left.setdefault(id(peer), list(steps)) if data else left.setdefault(id(peer), list(steps))
        if data and rest and rest[0][0] == "hear":
            rest.pop(0)
        while rest and rest[0][0] != "hear":
            step = rest.pop(0)
            if step[0] == "say":
                peer.say(step[1])
            elif step[0] == "echo":
                peer.say(b"answer to " + data)
            elif step[0] == "reset":
                peer.reset()
            elif step[0] in ("end", "cut"):
                peer.end(orderly=step[0] == "end")

    return server


def server_context(identity, version=None, client=None):
    """For a TLS server that takes old keys; client: an Identity whose certificate is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(identity.path)
    context.num_tickets = 0
    if version:
        context.minimum_version = context.maximum_version = version
    if client:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client.path)
        # The certificates of these tests have expired, on purpose.
        context.verify_flags |= 0x200000  # X509_V_FLAG_NO_CHECK_TIME
    return context


class RealSide:
    """A HAL of this machine; the probe is a process of its own."""

    real = True

    def __init__(self, name, command, environment=None):
        self.name = name
        self._command = command
        self._environment = environment or {}

    def start(self, name, arguments, before=(), **options):
        """The process of a probe. before: a command that runs it."""
        environment = {**os.environ, "MICROPYPATH": str(ROOT), "PYTHONPATH": str(ROOT), **self._environment}
        environment["HAL_PROBE_ARGUMENTS"] = json.dumps(arguments)
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
        command = [*before, *self._command, str(PROBE), name]
        return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **options)

    def finish(self, process):
        """What the probe found; with its traceback where it found nothing."""
        try:
            output, _ = process.communicate(timeout=120)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, output
        return json.loads(output.strip().splitlines()[-1])

    def probe(self, name, before=(), **arguments):
        """Run one probe to its end."""
        return self.finish(self.start(name, arguments, before))

    @contextlib.contextmanager
    def tcp(self, steps, context=None):
        """A server, a TLS one with `context`; its port."""

        def handle(connection):
            if context is None:
                play(steps, connection)
                return
            with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as secure:
                play(steps, secure)

        with serving(handle) as port:
            yield port

    def udp(self):
        """A UDP server; its port."""
        return serving(udp_server, socket.SOCK_DGRAM)


class FakeSide:
    """The fake HAL; the probe runs here."""

    name = "fake"
    real = False

    def __init__(self):
        self._hal = Hal()

    def probe(self, name, **arguments):
        """Run one probe to its end; JSON knows no tuples."""
        found = asyncio.run(getattr(hal_probe, "probe_" + name)(self._hal, **arguments))
        return json.loads(json.dumps(found))

    @contextlib.contextmanager
    def tcp(self, steps, context=None):
        """A scripted server; its port."""
        self._hal.net.serve_tcp("127.0.0.1", 4000, scripted(steps), certificate=b"DER" if context else None)
        yield 4000

    @contextlib.contextmanager
    def udp(self):
        """A scripted UDP server; its port."""

        def server(data, source, reply):
            if data == b"port":
                reply(b"other", port=4001)
            elif data == b"long":
                reply(b"0123456789")
            elif data == b"echo":
                reply(data)

        self._hal.net.serve_udp("127.0.0.1", 4000, server)
        yield 4000


REAL = {
    "host": RealSide("host", [sys.executable], {"PHONETRUST_CRYPTO": "native"}),
    "host-ssl": RealSide("host-ssl", [sys.executable], {"PHONETRUST_CRYPTO": "cryptography"}),
    "device-x86_64": RealSide("device-x86_64", [MICROPYTHON, "x86_64"]),
    "device-aarch64": RealSide("device-aarch64", [MICROPYTHON, "aarch64"]),
}
#: The sides that differ without TLS.
PLAIN = ("host", "device-x86_64", "device-aarch64")


def side(name):
    """A side by its name."""
    return FakeSide() if name == "fake" else REAL[name]
