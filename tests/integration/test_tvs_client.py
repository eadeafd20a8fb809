# SPDX-License-Identifier: MIT
"""The TVS client against real TLS servers on loopback, good ones and bad ones, on CPython and MicroPython arm64."""

import socket
import ssl
import threading

import pytest

from tests.helpers.servers.on_micropython import on_micropython
from tests.helpers.servers.protocol_phone import run
from tests.helpers.servers.tls_server import Identity, Server, element, receive, until_gone

TIMEOUT = 15000  # ms; MicroPython under emulation needs some 300 for a handshake, on a busy machine far more
BRIEF = 3000  # ms, where the test waits for the time to run out
SIGNER = b"the signer's certificate" * 50
QUERY = {"kind": "query", "subject": "CN=signer", "issuer": "CN=ca", "serial": "05", "roles": [0]}
VERIFY = {"kind": "verify", "certificate": b"tomcat".hex(), "roles": [7]}


def read_request(connection):
    """(command, session bytes, {tag: value}) of the phone's request."""
    head = receive(connection, 10)
    assert head[:2] == b"\x57\x01" and head[3] == 0
    body = receive(connection, int.from_bytes(head[8:10], "big"))
    values = {}
    while body:
        length = int.from_bytes(body[1:3], "big")
        values[body[0]], body = body[3 : 3 + length], body[3 + length :]
    return head[2], head[4:8], values


def answer(command, session, status=0, certificate=SIGNER, roles=b"\0\3"):
    body = element(7, bytes((status,)))
    if status == 0:
        body += element(2, certificate) + element(8, roles) + element(9, (86400).to_bytes(4, "big"))
    return bytes((0x57, 1, command + 1, 0xF7)) + session + len(body).to_bytes(2, "big") + body


def good(connection, server):
    command, session, values = read_request(connection)
    server.heard.append((command, values))
    connection.sendall(answer(command, session, certificate=SIGNER if command == 3 else values[2]))
    until_gone(connection)


def no(connection, server):
    command, session, _ = read_request(connection)
    connection.sendall(answer(command, session, status=1))


def only_verification(connection, server):
    command, session, values = read_request(connection)
    server.heard.append((command, values))
    if command == 1:
        connection.sendall(answer(command, session, certificate=values[2], roles=b"\7"))
    connection.unwrap()  # TLS's goodbye


def silent(connection, server):
    server.heard.append(connection.recv(1000))
    until_gone(connection)


def wrong_session(connection, server):
    command, session, _ = read_request(connection)
    connection.sendall(answer(command, bytes((session[0] ^ 1,)) + session[1:]))


def endless(connection, server):
    read_request(connection)
    connection.sendall(b"\x57\x01\x04\0\0\0\0\0\xff\xff")
    while not server.stopped.is_set():
        connection.sendall(b"x" * 65536)


def dripping(connection, server):
    command, session, _ = read_request(connection)
    for byte in answer(command, session):
        connection.sendall(bytes((byte,)))
        if server.stopped.wait(0.2):
            return


def garbage(connection, server):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def no_tls(connection, server):
    connection.recv(10)
    connection.sendall(b"220 mail.example.org ESMTP\r\n")


def dripping_handshake(connection, server):
    """A TLS record that never ends: one byte of it at a time."""
    connection.recv(10)
    connection.sendall(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")
    while not server.stopped.wait(0.2):
        connection.sendall(b"\0")


@pytest.fixture(params=["cpython", "micropython"])
def phone(request, tmp_path):
    """A function that asks: phone(servers, questions, ...) -> the answers and the time it took (ms)."""

    def asking(servers, questions, certificates=None, identity=None, timeout=TIMEOUT, at_once=False):
        ports = [server if isinstance(server, list) else ["127.0.0.1", server.port] for server in servers]
        trusted = [IDENTITY] if certificates is None else certificates
        wanted = {
            "servers": ports,
            "certificates": [each.certificate.hex() for each in trusted],
            "timeout": timeout,
            "identity": identity and [identity.certificate.hex(), identity.key.hex()],
            "questions": questions,
            "at_once": at_once,
        }
        result = run(wanted) if request.param == "cpython" else on_micropython(wanted, tmp_path)
        return result["answers"], result["milliseconds"]

    return asking


IDENTITY = Identity("TVS")
OTHER = Identity("TVS")


@pytest.fixture
def serve(tmp_path):
    """Starts servers; all are ended after the test."""
    servers = []

    def starting(handler, identity=IDENTITY, **more):
        server = Server(handler, identity, tmp_path, **more)
        servers.append(server)
        return server

    yield starting
    for server in servers:
        server.close()


def closed_port():
    """A port on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return ["127.0.0.1", listener.getsockname()[1]]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_both_requests(phone, serve, version, kind):
    identity = IDENTITY if kind == "ec" else Identity("TVS", "rsa")
    server = serve(good, identity=identity, version=version)
    (found, valid), _ = phone([server], [QUERY, VERIFY], [OTHER, identity])
    assert found["status"] == "valid", found["text"]
    assert bytes.fromhex(found["certificate"]) == SIGNER
    assert found["roles"] == [0, 3] and found["ttl"] == 86400
    assert found["server"] == f"127.0.0.1:{server.port}"
    assert valid["status"] == "valid" and bytes.fromhex(valid["certificate"]) == b"tomcat"
    assert server.heard == [
        (3, {1: b"\x01CP-8861-SEP00270DC01C92", 3: b"CN=signer\0", 4: b"CN=ca\0", 5: b"\x05"}),
        (1, {1: b"\x01CP-8861-SEP00270DC01C92", 2: b"tomcat"}),
    ]


def test_the_answer_is_remembered(phone, serve):
    server = serve(good)
    (first, second), _ = phone([server], [QUERY, QUERY])
    assert first["status"] == second["status"] == "valid"
    assert first["certificate"] == second["certificate"]
    assert "holds for another 86" in second["text"]
    assert server.connections == 1


def test_no_is_an_answer(phone, serve):
    second = serve(good)
    (answered,), _ = phone([serve(no), second], [QUERY])
    assert answered["status"] == "refused" and "does not vouch for it" in answered["text"]
    assert second.connections == 0


def test_another_certificate_of_the_same_name(phone, serve):
    server = serve(good, identity=OTHER)
    (answered,), _ = phone([server], [QUERY])
    assert answered["status"] == "untrusted"
    assert "shows another certificate than the one of role TVS" in answered["text"]
    assert server.heard == []


def test_closing_on_a_query(phone, serve):
    server = serve(only_verification)
    (query, again, verify), _ = phone([server], [QUERY, QUERY, VERIFY])
    assert query["status"] == again["status"] == "unsupported"
    assert "closed the connection twice on a request for a certificate" in query["text"]
    assert "known not to answer" in again["text"], "TLS said its end both times"
    assert verify["status"] == "valid" and verify["roles"] == [7]
    assert [command for command, _ in server.heard] == [3, 3, 1]


def test_cut_connections_disable_nothing(phone, serve):
    """TCP ends without TLS's goodbye: the question is put again, and once more with the next question."""

    def cuts(connection, server):
        command, _, _ = read_request(connection)
        server.heard.append(command)
        connection.shutdown(socket.SHUT_RDWR)  # of TCP alone

    server = serve(cuts)
    (first, second), _ = phone([server], [QUERY, QUERY])
    assert first["status"] == second["status"] == "unsupported"
    assert "closed the connection twice" in second["text"] and server.heard == [3] * 4


def test_one_cut_connection_is_made_again(phone, serve):
    def cuts_once(connection, server):
        if server.connections == 1:
            read_request(connection)
            connection.shutdown(socket.SHUT_RDWR)
        else:
            good(connection, server)

    (answered,), _ = phone([serve(cuts_once)], [QUERY])
    assert answered["status"] == "valid", answered["text"]


def test_a_server_that_failed_costs_its_time_once_in_a_boot(phone, serve):
    dumb = serve(silent)
    (first, second), _ = phone([dumb], [QUERY, VERIFY], timeout=BRIEF)
    assert first["status"] == second["status"] == "unreachable"
    assert "not asked again in this boot (no answer in time)" in second["text"]
    assert dumb.connections == 1


def test_two_questions_at_once(phone, serve):
    """Both are asked at the same time: the server answers only when it has both."""
    both = threading.Barrier(2)

    def waits(connection, server):
        command, session, values = read_request(connection)
        both.wait(10)
        connection.sendall(answer(command, session, certificate=SIGNER if command == 3 else values[2]))
        until_gone(connection)

    (found, valid), _ = phone([serve(waits)], [QUERY, VERIFY], at_once=True)
    assert found["status"] == "valid" and bytes.fromhex(found["certificate"]) == SIGNER, found["text"]
    assert valid["status"] == "valid" and bytes.fromhex(valid["certificate"]) == b"tomcat", valid["text"]


def test_silence_costs_one_timeout_and_the_next_is_asked(phone, serve):
    (first, second), took = phone([serve(silent), serve(good)], [QUERY, VERIFY], timeout=BRIEF)
    assert first["status"] == second["status"] == "valid"
    assert "no answer in time" in first["text"] and "no answer" not in second["text"]
    assert took >= BRIEF


@pytest.mark.parametrize(
    ("handler", "words", "timeout"),
    [
        (silent, "no answer in time", BRIEF),
        (wrong_session, "session number", TIMEOUT),
        (endless, "announces a message of 65535 bytes", TIMEOUT),
        (dripping, "no answer in time", BRIEF),
        (garbage, "speaks another protocol", TIMEOUT),
    ],
)
def test_servers_without_a_usable_answer(phone, serve, handler, words, timeout):
    (answered,), took = phone([serve(handler)], [QUERY], timeout=timeout)
    assert answered["status"] == "unreachable" and words in answered["text"], answered["text"]
    assert answered["certificate"] is None and answered["roles"] == []
    if timeout == BRIEF:
        assert BRIEF <= took < 10 * BRIEF


def test_a_server_without_tls(phone, serve):
    (answered,), _ = phone([serve(no_tls, identity=None)], [QUERY])
    assert answered["status"] == "unreachable" and "TLS failed" in answered["text"], answered["text"]


@pytest.mark.parametrize("handler", [silent, dripping_handshake])
def test_a_handshake_that_comes_to_nothing(phone, serve, handler):
    (answered,), took = phone([serve(handler, identity=None)], [QUERY], timeout=BRIEF)
    assert answered["status"] == "unreachable" and "no answer in time" in answered["text"], answered["text"]
    assert BRIEF <= took < 10 * BRIEF


def test_no_server_there(phone):
    (answered,), _ = phone([closed_port()], [QUERY])
    assert answered["status"] == "unreachable" and "connection refused" in answered["text"]


def test_an_unknown_name(phone):
    (answered,), _ = phone([["phonetrust.invalid", 2445], closed_port()], [QUERY])
    assert answered["status"] == "unreachable"
    assert "phonetrust.invalid:2445: its name is not known" in answered["text"], answered["text"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_phone_shows_its_own_certificate_when_asked(phone, serve, version):
    lsc = Identity("SEP00270DC01C92")
    server = serve(good, version=version, ask_for=lsc.certificate)
    (answered,), _ = phone([server], [QUERY], identity=lsc)
    assert answered["status"] == "valid", answered["text"]
    assert server.client_certificate == lsc.certificate
    (answered,), _ = phone([server], [QUERY])
    assert (answered["status"], answered["certificate"]) == ("unreachable", None)
