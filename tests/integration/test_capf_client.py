# SPDX-License-Identifier: MIT
"""The CAPF client with real keys, signatures and TLS: all operations, on CPython and MicroPython arm64.

The server here is the test's own reading of docs/spec/capf.md: it checks each proof with `cryptography`.
"""

import hashlib
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from tests.helpers.servers.on_micropython import on_micropython
from tests.helpers.servers.protocol_phone import run
from tests.helpers.servers.tls_server import Identity, Server, element, receive, until_gone

TIMEOUT = 15000  # ms for a connection, and for a message
BRIEF = 3000  # ms, where the test waits for the time to run out
SESSION = 0x0A0B0C0D
NAME = b"SEP00270DC01C92\0"
STRING, NONE, LSC, MIC = 1, 2, 3, 4
AUTHORITY = Identity("CAPF", "rsa")
OLD = {"rsa": Identity("old LSC", "rsa"), "ec": Identity("old LSC", "ec")}
MANUFACTURED = Identity("MIC", "rsa")


def parts(value):
    """[(kind, bytes)] of what is built of kind, length and bytes."""
    found = []
    while value:
        length = int.from_bytes(value[1:3], "big")
        found.append((value[0], value[3 : 3 + length]))
        value = value[3 + length :]
    return found


def send(connection, command, *elements):
    body = b"".join(element(tag, value) for tag, value in elements)
    connection.sendall(bytes((0x55, command)) + SESSION.to_bytes(4, "big") + len(body).to_bytes(2, "big") + body)


def hear(connection):
    """(command, {tag: value}) of the phone's next message."""
    head = receive(connection, 8)
    assert head[0] == 0x55 and head[2:6] == SESSION.to_bytes(4, "big")
    return head[1], dict(parts(receive(connection, int.from_bytes(head[6:8], "big"))))


def check_signature(certificate, data, algorithm, signature):
    """Raises unless the certificate's key made the signature in CAPF's way."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA({"sha1": hashes.SHA1(), "sha512": hashes.SHA512()}[algorithm]))
    else:
        bare = key.recover_data_from_signature(signature, padding.PKCS1v15(), None)
        assert bare == hashlib.new(algorithm, data).digest()


def check_proofs(values):
    """The four elements by which a phone proves its key; (certificate kind, certificate, MIC)."""
    head, certificate = values[4][:5], values[4][5:]
    assert head == b"\x01" + (len(certificate) + 2).to_bytes(2, "big") + b"\0" + head[4:]
    check_signature(certificate, NAME + certificate, "sha1", values[6])
    ((kind, signature),) = parts(values[20])
    assert kind == 3
    check_signature(certificate, NAME + certificate, "sha512", signature)
    sudi = None
    if 16 in values:
        (zero, sudi), (one, sha1), (three, sha512) = parts(values[16])
        assert (zero, one, three) == (0, 1, 3)
        check_signature(sudi, SESSION.to_bytes(4, "little") + sudi, "sha1", sha1)
        check_signature(sudi, SESSION.to_bytes(4, "little") + sudi, "sha512", sha512)
    return head[4], certificate, sudi


def session(operation, string=None, asked=0):
    """A handler: greets, checks AUTH_RES, then runs operation(connection, server)."""

    def handler(connection, server):
        send(connection, 1, (7, b"\3"), (8, bytes((asked,))))
        command, values = hear(connection)
        assert command == 2 and values[1] == b"\1" and values[7] == b"\3"
        assert values[13] == (NAME if len(server.heard) == 0 else b"CP-8861-" + NAME)
        server.heard.append(values)
        if string is not None and values[11] != string + b"\0":
            send(connection, 15, (1, b"\7"))
        else:
            operation(connection, server)
        until_gone(connection)

    return handler


def install(key_elements, end=b"\1", lsc_for=None):
    def operation(connection, server):
        send(connection, 3, *key_elements)
        assert hear(connection) == (17, {})
        command, values = hear(connection)
        assert command == 4
        public_key = serialization.load_der_public_key(values[9])
        server.heard.append(public_key)
        der = Identity("SEP00270DC01C92", issuer=AUTHORITY, public_key=lsc_for or public_key).certificate
        server.heard.append(der)
        send(connection, 9, (3, b"\1"), (4, b"\1" + (len(der) + 2).to_bytes(2, "big") + b"\0\1" + der))
        assert hear(connection) == (10, {1: b"\1"})
        if end:
            send(connection, 15, (1, end))

    return operation


def finish(reason, *more):
    return lambda connection, server: send(connection, 15, (1, bytes((reason,))), *more)


def delete(connection, server):
    send(connection, 13)
    server.heard.append(hear(connection))
    send(connection, 15, (1, b"\0"))


def fetch(connection, server):
    send(connection, 11)
    server.heard.append(hear(connection))
    send(connection, 15, (1, b"\0"))


def drips(connection, server):
    """A message of 1000 bytes that come one by one, slowly."""
    for byte in b"\x55\3" + SESSION.to_bytes(4, "big") + b"\x03\xe8" + bytes(1000):
        connection.sendall(bytes((byte,)))
        if server.stopped.wait(0.1):
            return


def rsa_key(bits):
    return [(17, b"\0"), (10, bits.to_bytes(2, "big"))]


def ec_key(curve):
    return [(17, b"\1"), (18, bytes((curve,)))]


@pytest.fixture(params=["cpython", "micropython"])
def phone(request, tmp_path):
    """phone(handler, ...) starts a server, has a phone enrol there, gives (its result, the server).

    lsc and mic are Identities; lsc may also be what a phone has stored, [certificate, key] in hex.
    """
    servers = []

    def enrolling(
        handler, mode=NONE, string=None, lsc=None, mic=None, believed=AUTHORITY, timeout=TIMEOUT, before=(), **more
    ):
        server = Server(handler, AUTHORITY, tmp_path, **more)
        servers.append(server)
        wanted = {
            "servers": [*before, ["127.0.0.1", server.port]],
            "certificate": believed.certificate.hex(),
            "timeout": timeout,
            "mode": mode,
            "string": string,
            "lsc": lsc if isinstance(lsc, list) else lsc and [lsc.certificate.hex(), lsc.key.hex()],
            "mic": mic and [mic.certificate.hex(), mic.key.hex()],
        }
        return (run(wanted) if request.param == "cpython" else on_micropython(wanted, tmp_path)), server

    yield enrolling
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("key", "bits"),
    [(rsa_key(1024), 1024), (rsa_key(2048), 2048), (ec_key(0), 256), (ec_key(1), 384), (ec_key(2), 521)],
)
def test_install(phone, key, bits):
    result, server = phone(session(install(key)))
    assert result["outcome"] == "installed", result["text"]
    _, public_key, certificate = server.heard
    assert public_key.key_size == bits
    ((stored, private_key),) = result["stored"]
    assert stored == result["certificate"] == certificate.hex()
    made = serialization.load_der_private_key(bytes.fromhex(private_key), None)
    assert made.public_key() == public_key


@pytest.mark.parametrize("key", [rsa_key(2048), ec_key(0)])
def test_what_was_installed_is_shown_and_proves_at_once(phone, key):
    first, _ = phone(session(install(key)))
    (lsc,) = first["stored"]
    result, server = phone(session(finish(0)), mode=LSC, lsc=lsc, ask_for=bytes.fromhex(lsc[0]))
    assert result["outcome"] == "no-action", result["text"]
    assert server.client_certificate == bytes.fromhex(lsc[0])
    assert check_proofs(server.heard[0])[:2] == (1, bytes.fromhex(lsc[0]))


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_update_proved_by_the_old_lsc_and_the_mic(phone, kind, version):
    result, server = phone(
        session(install(ec_key(0))),
        mode=LSC,
        lsc=OLD[kind],
        mic=MANUFACTURED,
        version=version,
        ask_for=OLD[kind].certificate,
    )
    assert result["outcome"] == "installed", result["text"]
    assert check_proofs(server.heard[0]) == (1, OLD[kind].certificate, MANUFACTURED.certificate)
    assert server.client_certificate == OLD[kind].certificate


def test_proofs_by_the_mic_alone_and_by_what_the_server_asks(phone):
    result, server = phone(session(finish(0)), mode=MIC, mic=MANUFACTURED)
    assert result["outcome"] == "no-action", result["text"]
    assert check_proofs(server.heard[0]) == (2, MANUFACTURED.certificate, MANUFACTURED.certificate)
    result, server = phone(session(finish(0), asked=LSC), lsc=OLD["ec"])
    assert check_proofs(server.heard[0]) == (1, OLD["ec"].certificate, None)


def test_strings(phone):
    result, server = phone(session(install(ec_key(0)), b"4711"), mode=STRING, string="4711")
    assert result["outcome"] == "installed" and len(result["stored"]) == 1
    result, server = phone(session(install(ec_key(0)), b"4711"), mode=STRING, string="4712")
    assert result["outcome"] == "wrong-string" and result["stored"] == []
    result, server = phone(session(finish(0), asked=STRING))
    assert result["outcome"] == "string-needed" and server.heard == []


def test_delete_and_fetch(phone):
    result, server = phone(session(delete), lsc=OLD["ec"])
    assert result["outcome"] == "deleted" and result["deleted"] == 1
    assert server.heard[1] == (14, {1: b"\1"})
    result, server = phone(session(delete))
    assert result["outcome"] == "no-certificate" and server.heard[1] == (14, {1: b"\7"})
    result, server = phone(session(fetch), lsc=OLD["rsa"])
    assert result["outcome"] == "fetched"
    command, values = server.heard[1]
    assert command == 12 and values[1] == b"\1" and values[4][5:] == OLD["rsa"].certificate


@pytest.mark.parametrize(
    ("operation", "outcome", "words"),
    [
        (finish(9), "unknown-device", "does not know this phone"),
        (finish(0, (12, b"\0\0\0\x3c")), "retry-later", "in 60 s"),
        (install(rsa_key(512)), "refused", "RSA of 512 bits"),
        (install(ec_key(0), lsc_for=OLD["ec"].private.public_key()), "refused", "for another key"),
        (lambda connection, server: connection.close(), "interrupted", "closed the connection"),
        (lambda connection, server: connection.sendall(b"\x55\3\0\0\0\0\xff\xff"), "interrupted", "65535 bytes"),
        (lambda connection, server: None, "interrupted", "no answer in time"),
        (drips, "interrupted", "no answer in time"),
    ],
)
def test_sessions_that_change_nothing(phone, operation, outcome, words):
    def tolerant(connection, server):
        try:
            operation(connection, server)
        except (AssertionError, EOFError):
            pass  # the phone did not do what this server wanted: that is the test

    result, _ = phone(session(tolerant), timeout=BRIEF if "time" in words else TIMEOUT)
    assert result["outcome"] == outcome and words in result["text"], result["text"]
    assert result["stored"] == [] and result["certificate"] is None


def test_an_end_that_does_not_come_after_storing(phone):
    def operation(connection, server):
        install(ec_key(0), end=None)(connection, server)
        connection.close()

    result, _ = phone(session(operation))
    assert result["outcome"] == "installed" and len(result["stored"]) == 1
    assert "broke off" in result["text"]


def test_another_server_is_told_nothing(phone):
    result, server = phone(session(install(ec_key(0))), believed=MANUFACTURED)
    assert result["outcome"] == "untrusted"
    assert server.heard == [] and result["stored"] == []


def test_a_server_that_knows_the_phone_by_its_long_name(phone):
    def operation(connection, server):
        send(connection, 15, (1, b"\x09" if len(server.heard) == 1 else b"\0"))

    result, server = phone(session(operation), mode=LSC, lsc=OLD["ec"])
    assert result["outcome"] == "no-action", result["text"]
    assert [values[13] for values in server.heard] == [NAME, b"CP-8861-" + NAME]


def test_without_an_lsc_the_mic_proves(phone):
    result, server = phone(session(finish(0)), mode=LSC, mic=MANUFACTURED, ask_for=MANUFACTURED.certificate)
    assert result["outcome"] == "no-action", result["text"]
    assert check_proofs(server.heard[0])[:2] == (2, MANUFACTURED.certificate)
    assert server.client_certificate == MANUFACTURED.certificate


def test_the_first_server_that_answers_is_used(phone, tmp_path):
    """The first server does not listen, the second is not trusted, the third stays silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = ["127.0.0.1", listener.getsockname()[1]]
    stranger = Server(session(finish(0)), MANUFACTURED, tmp_path)
    mute = Server(lambda connection, server: until_gone(connection), AUTHORITY, tmp_path)
    try:
        before = [nobody, ["127.0.0.1", stranger.port], ["127.0.0.1", mute.port]]
        result, server = phone(session(finish(0)), before=before, timeout=BRIEF)
    finally:
        stranger.close()
        mute.close()
    assert result["outcome"] == "no-action", result["text"]
    assert server.connections == 1 and stranger.heard == []
    for words in ("connection refused", "by the test", "says nothing: no answer in time"):
        assert words in result["text"], result["text"]
