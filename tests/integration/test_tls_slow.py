# SPDX-License-Identifier: MIT
"""Servers that fall silent at some point, or are very slow: the phone ends at its deadline, and says what was due.

All cases of one Python run at once, because each takes its whole deadline.
"""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.tls.hostile import HostileServer, Server12, Server13, Twist
from tests.helpers.tls.identity import identity
from tests.helpers.tls.pythons import PYTHONS, exchanges
from tests.helpers.tls.wire import APPLICATION_DATA, HANDSHAKE, Gone, check_nothing_of_ours, message

DEADLINE = 6000
SLACK = 60000  # ms that a busy machine may take to notice it; these servers would stay silent for ever


def stall_before(name):
    """A Twist that stalls before this message."""

    class Stall(Twist):
        asks = True

        def before(self, server, message_name):
            if message_name == name:
                server.stall()

    return Stall


class DripOfAServerHello(Twist):
    def before(self, server, name):
        if name == "ServerHello":
            drip(server, b"\x16\x03\x03\x3f\xff\x02\0\x3f\xfb")


class DripOfData(Twist):
    def opened(self, server):
        drip(server, server.seal(APPLICATION_DATA, bytes(10000)))


class RecordsOfOneByteNowAndThen(Twist):
    """Far fewer records than the limit, each of them in time."""

    asks = True

    def before(self, server, name):
        if name == "Certificate":
            server.raw(server.seal(HANDSHAKE, message("Certificate", bytes(2000))[:4]))
            while True:
                server.raw(server.seal(HANDSHAKE, b"\0"))
                pause(server, DEADLINE / 1000 / 20)


def drip(server, data):
    """One byte now and then, endlessly."""
    for byte in data + bytes(100000):
        server.raw(bytes([byte]))
        pause(server, 0.05)


def pause(server, seconds):
    """Wait; Gone where the client closes the connection meanwhile."""
    server.sock.settimeout(seconds)
    try:
        while True:
            if not server.sock.recv(1000):
                raise Gone
    except TimeoutError:
        pass


CASES = {}
for version, kind in (("tls12", Server12), ("tls13", Server13)):
    for name in (*kind.MESSAGES, "CertificateRequest"):
        CASES[f"stall-{version}-{name}"] = (kind, stall_before(name), name)
    CASES[f"stall-{version}-data"] = (kind, stall_before("data"), None)
    for twist, awaited in (
        (DripOfAServerHello, "ServerHello"), (DripOfData, None), (RecordsOfOneByteNowAndThen, "Certificate"),
    ):  # fmt: skip
        CASES[f"{twist.__name__}-{version}"] = (kind, twist, awaited)


def run(python, name):
    kind, twist, _ = CASES[name]
    with HostileServer(kind, identity("ec256"), twist()) as server:
        case = {
            "port": server.port, "enough": 10**6, "deadline": DEADLINE, "identity": identity("ec256", "client").pair,
        }  # fmt: skip
        return exchanges(python, case)[0]


@pytest.fixture(scope="module")
def results():
    """python -> {case: its result}, all cases of a Python at once."""
    made = {}

    def of(python):
        if python not in made:
            with ThreadPoolExecutor(len(CASES)) as pool:
                made[python] = dict(zip(CASES, pool.map(lambda name: run(python, name), CASES), strict=True))
        return made[python]

    return of


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", CASES)
def test_ends_at_the_deadline(results, name, python):
    result = results(python)[name]
    assert result["failure"] == "errno 110"
    assert DEADLINE - 100 <= result["milliseconds"] < DEADLINE + SLACK
    awaited = CASES[name][2]
    assert result["awaited"] == awaited
    if awaited and not name.endswith("tls12-Finished"):
        check_nothing_of_ours(result["sent"])


@pytest.mark.parametrize("python", PYTHONS)
def test_a_server_that_accepts_and_says_nothing(python):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        start = time.monotonic()
        result = exchanges(python, {"port": listener.getsockname()[1], "deadline": 500})[0]
        assert result["failure"] == "errno 110" and result["awaited"] == "ServerHello"
        assert time.monotonic() - start < 0.5 + SLACK / 1000
    assert threading.active_count() < 50
