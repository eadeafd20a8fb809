# SPDX-License-Identifier: MIT
"""Hostile TLS servers (tests/helpers/tls/hostile_cases.py): the phone ends each in time, says why, and reveals nothing.

Every case runs on each Python with a client certificate at hand. Servers that stall or drip are in test_tls_slow.py.
"""

import pytest

from tests.helpers.tls.hostile import Close, HostileServer, Server12, Server13, Twist
from tests.helpers.tls.hostile_cases import CASES, VERSIONS
from tests.helpers.tls.identity import identity
from tests.helpers.tls.pythons import PYTHONS, exchanges
from tests.helpers.tls.wire import ALERT, APPLICATION_DATA, HANDSHAKE, check_nothing_of_ours, message

DEADLINE = 20000


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", CASES)
def test_ends_with_a_reason_and_nothing_given_away(name, python):
    kind, twist, failure, says, opens = CASES[name]
    twist = type(twist.__name__, (twist,), {"asks": True})()
    mine = identity("rsa2048", "client")
    with HostileServer(kind, identity("rsa2048"), twist) as server:
        case = {"port": server.port, "enough": 10**6, "identity": mine.pair, "deadline": DEADLINE}
        result = exchanges(python, case)[0]
    assert (result["failure"], result["state"]) == (failure, "failed")
    assert says in result["text"]
    assert result["milliseconds"] < DEADLINE
    if not opens:
        check_nothing_of_ours(result["sent"])
        hellos = 2 if name == "HelloRetryRequestTwice-tls13" else 1
        assert server.logs[0] == [1] * hellos, "the phone said nothing but ClientHello"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("orderly", [False, True], ids=["cut", "close_notify"])
@pytest.mark.parametrize(
    ("version", "name"),
    [(version, name) for version, kind in VERSIONS.items() for name in (*kind.MESSAGES, "CertificateRequest")],
)
def test_closed_before_each_message(version, name, orderly, python):
    class Closing(Twist):
        asks = True

        def before(self, server, message_name):
            if message_name == name:
                if orderly:
                    server.close_notify()
                raise Close

    with HostileServer(VERSIONS[version], identity("rsa2048"), Closing()) as server:
        result = exchanges(python, {"port": server.port, "enough": 1, "deadline": DEADLINE})[0]
    assert result["failure"] == ("tls-closed" if orderly else "tls-cut")
    if not (version == "tls12" and name == "Finished"):
        check_nothing_of_ours(result["sent"])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_orderly_end_can_be_told_from_a_cut(version, python):
    class Cut(Twist):
        def opened(self, server):
            server.data(b"hello")
            raise Close

    results = []
    for twist in (Twist(), Cut()):
        with HostileServer(VERSIONS[version], identity("rsa2048"), twist) as server:
            results += exchanges(python, {"port": server.port, "enough": 100, "deadline": DEADLINE})
    assert [(each["failure"], each["state"]) for each in results] == [(None, "ended"), ("tls-cut", "failed")]
    assert results[0]["read"] == b"hello"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("size", [1, 3000])
def test_a_server_that_asks_again_with_a_cookie(size, python):
    class Cookie(Twist):
        retries = 1
        cookie = b"c" * size

    with HostileServer(Server13, identity("ec256"), Cookie()) as server:
        result = exchanges(python, {"port": server.port, "enough": 100, "deadline": DEADLINE})[0]
    assert (result["failure"], result["state"], result["read"]) == (None, "ended", b"hello")
    assert Cookie.cookie in result["sent"]


@pytest.mark.parametrize("python", PYTHONS)
def test_data_right_behind_the_finished_of_the_server(python):
    class Hurries(Twist):
        def finished(self, server, cipher):
            server.raw(cipher.seal(APPLICATION_DATA, b"already, "))

    with HostileServer(Server13, identity("ec256"), Hurries()) as server:
        result = exchanges(python, {"port": server.port, "enough": 100, "deadline": DEADLINE})[0]
    assert (result["failure"], result["state"], result["read"]) == (None, "ended", b"already, hello")


@pytest.mark.parametrize("python", PYTHONS)
def test_renegotiation_is_refused_and_the_connection_goes_on(python):
    class Once(Twist):
        def opened(self, server):
            server.raw(server.seal(HANDSHAKE, message("HelloRequest", b"")))
            kind, content = server.reader.record()
            assert (kind, content) == (ALERT, b"\x01\x64")  # warning no_renegotiation
            Twist.opened(self, server)

    with HostileServer(Server12, identity("ec256"), Once()) as server:
        result = exchanges(python, {"port": server.port, "enough": 100, "deadline": DEADLINE})[0]
    assert (result["failure"], result["state"], result["read"]) == (None, "ended", b"hello")
