# SPDX-License-Identifier: MIT
"""The real HALs, host and device, against real sockets: timeouts, ends, TLS with old and new keys, local clients."""

import contextlib
import datetime
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from hal.host import crypto

ROOT = Path(__file__).resolve().parents[2]
PROBE = ROOT / "tests" / "helpers" / "servers" / "hal_probe.py"
PYTHONS = {
    "host": [sys.executable],
    "device": [str(ROOT / "host_tools" / "setup" / "micropython"), "aarch64"],
}
ETIMEDOUT, ECONNREFUSED, ENOENT, EPROTO, EPIPE = 110, 111, 2, 71, 32


@pytest.fixture(params=sorted(PYTHONS))
def python(request):
    return PYTHONS[request.param]


def start(python, name, arguments, **options):
    environment = {**os.environ, "MICROPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}
    environment["HAL_PROBE_ARGUMENTS"] = json.dumps(arguments)
    return subprocess.Popen(
        [*python, str(PROBE), name],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def finish(process):
    """What the probe found; with its traceback where it found nothing."""
    try:
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, output
    return json.loads(output.strip().splitlines()[-1])


def probe(python, name, stdin=subprocess.DEVNULL, **arguments):
    return finish(start(python, name, arguments, stdin=stdin))


@contextlib.contextmanager
def serving(handle, kind=socket.SOCK_STREAM, backlog=8):
    """A server on a free loopback port whose `handle` gets each connection (or the UDP socket); gives the port."""
    server = socket.socket(socket.AF_INET, kind)
    server.bind(("127.0.0.1", 0))

    def run():
        with contextlib.suppress(OSError):
            if kind == socket.SOCK_DGRAM:
                handle(server)
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    handle(connection)

    thread = threading.Thread(target=run, daemon=True)
    if kind == socket.SOCK_STREAM:
        server.listen(backlog)
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
    """A port on which nobody listens, kept from others."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class Identity:
    """A key and its self-signed certificate, as files for ssl and as DER."""

    def __init__(self, folder, name, key, algorithm):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        # Long expired: no date may matter to the HAL.
        begin = datetime.datetime(2001, 1, 1)
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), 77, begin, begin.replace(year=2002))
        # SHA-1 can be signed with only by the library: what `cryptography` made is signed anew.
        certificate = builder.sign(key, algorithm)
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.key = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        self.key8 = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )


@pytest.fixture(scope="module")
def identities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("identities")
    return {
        "rsa1024": Identity(folder, "rsa1024", rsa.generate_private_key(65537, 1024), hashes.SHA256()),
        "rsa2048": Identity(folder, "rsa2048", rsa.generate_private_key(65537, 2048), hashes.SHA256()),
        "p256": Identity(folder, "p256", ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
        "p384": Identity(folder, "p384", ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
    }


@contextlib.contextmanager
def tls_serving(handle, identity, version=None, client=None):
    """A TLS server; client: an Identity whose certificate is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(identity.path)
    if version:
        context.minimum_version = context.maximum_version = version
    if client:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client.path)
        # The certificates of these tests have expired, on purpose.
        context.verify_flags |= 0x200000  # X509_V_FLAG_NO_CHECK_TIME

    def wrapped(connection):
        with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as secure:
            handle(secure)

    with serving(wrapped) as port:
        yield port


def answer_once(connection):
    """Answer the first bytes, then wait for the client to go."""
    connection.sendall(b"answer to " + connection.recv(100))
    connection.recv(1)


def test_datagrams_come_in_time_or_not_at_all(python):
    def server(sock):
        while True:
            data, source = sock.recvfrom(100)
            if data == b"port":
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    other.bind(("127.0.0.1", 0))
                    other.sendto(b"other", source)
            elif data == b"long":
                sock.sendto(b"0123456789", source)
            elif data == b"echo":
                sock.sendto(data, source)

    with serving(server, socket.SOCK_DGRAM) as port:
        found = probe(python, "udp", port=port)
    answers = [answer for answer, _ in found["answers"]]
    assert answers[0] == [b"echo".hex(), True, True]
    assert answers[1] == [b"01234567".hex(), True, True]
    assert answers[2] == [b"other".hex(), False, True]
    assert answers[3] is None and 190 <= found["answers"][3][1] < 2000
    assert found["now"] is None and found["text"] == f"127.0.0.1:{port}"


def test_a_port_without_server_is_silence(python):
    with closed_port() as port:
        answer, took = probe(python, "refused_udp", port=port)
    assert answer is None and 90 <= took < 2000


def test_a_name_that_is_unknown(python):
    assert probe(python, "resolve", host="no-such-host.invalid") == {"error": ENOENT}


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_connections_that_are_refused_or_time_out(python, kind):
    with closed_port() as port:
        answer, _ = probe(python, "connect", kind=kind, port=port, timeout=1000)
    assert answer == {"error": ECONNREFUSED}
    # A listener whose queue is full answers nothing at all.
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        answer, took = probe(python, "connect", kind=kind, port=full.getsockname()[1], timeout=300)
    assert answer == {"error": ETIMEDOUT} and 250 <= took < 3000


def test_a_stream_answers_falls_silent_and_ends(python):
    with serving(answer_once) as port:
        found = probe(python, "talk", kind="tcp", port=port, say="x", timeout=300, reads=2)
    assert found["got"][0][0] == b"answer to x".hex()
    assert found["got"][1][0] == {"error": ETIMEDOUT} and 250 <= found["got"][1][1] < 3000
    assert found["certificate"] is None

    def ends(connection):
        connection.recv(100)
        connection.sendall(b"bye")

    with serving(ends) as port:
        found = probe(python, "talk", kind="tcp", port=port, say="x")
    assert [got for got, _ in found["got"]] == [b"bye".hex(), "", ""]


@pytest.mark.parametrize("name", ["rsa1024", "rsa2048", "p256", "p384"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_with_any_key_gives_the_certificate(python, identities, name, version):
    identity = identities[name]
    with tls_serving(answer_once, identity, version) as port:
        found = probe(python, "talk", kind="tls", port=port, say="hello", timeout=3000, reads=1)
    assert found["got"][0][0] == b"answer to hello".hex()
    assert found["certificate"] == identity.der.hex()


def test_a_tls_server_that_falls_silent_or_ends(python, identities):
    with tls_serving(answer_once, identities["p256"]) as port:
        found = probe(python, "talk", kind="tls", port=port, say="x", timeout=1500, reads=2)
    assert found["got"][0][0] == b"answer to x".hex()
    assert found["got"][1][0] == {"error": ETIMEDOUT} and 1400 <= found["got"][1][1] < 5000

    def ends(connection):
        connection.recv(100)
        connection.sendall(b"bye")
        # TLS's own end, and at once the end of the connection: nobody waits for the client's word.
        connection.settimeout(0)
        with contextlib.suppress(ssl.SSLWantReadError):
            connection.unwrap()

    with tls_serving(ends, identities["p256"]) as port:
        found = probe(python, "talk", kind="tls", port=port, say="x", reads=2)
    assert [got for got, _ in found["got"]] == [b"bye".hex(), ""]


def test_a_server_that_speaks_first(python, identities):
    def speaks(connection):
        connection.sendall(b"first")
        connection.recv(1)

    with tls_serving(speaks, identities["rsa2048"]) as port:
        found = probe(python, "talk", kind="tls", port=port, say="", timeout=3000, reads=1)
    assert found["got"][0][0] == b"first".hex()


def test_a_handshake_with_silence_and_with_garbage(python):
    with serving(lambda connection: connection.recv(10000) and connection.recv(10000)) as port:
        answer, took = probe(python, "connect", kind="tls", port=port, timeout=500)
    assert answer == {"error": ETIMEDOUT} and 450 <= took < 4000

    def garbage(connection):
        connection.recv(10000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4)
        connection.recv(10000)

    with serving(garbage) as port:
        answer, _ = probe(python, "connect", kind="tls", port=port, timeout=3000)
    assert answer == {"error": EPROTO}


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_much_data_goes_and_comes_whole(python, identities, kind):
    size = 1 << 19

    def echo(connection):
        data = b""
        while len(data) < size:
            data += connection.recv(65536)
        connection.sendall(data)
        connection.recv(1)

    server = serving(echo) if kind == "tcp" else tls_serving(echo, identities["p256"])
    with server as port:
        assert probe(python, "bulk", kind=kind, port=port, size=size) == [size, True]


@pytest.mark.parametrize("encoding", ["key", "key8"])
@pytest.mark.parametrize("name", ["rsa2048", "p256"])
def test_the_identity_is_shown_if_asked_for(python, identities, name, encoding):
    own = identities[name]

    def tells(connection):
        connection.recv(100)
        connection.sendall((connection.getpeercert(True) or b"none")[-32:])
        connection.recv(1)

    shown = [own.der.hex(), getattr(own, encoding).hex()]
    with tls_serving(tells, identities["rsa2048"], client=own) as port:
        found = probe(python, "talk", kind="tls", port=port, say="who am I?", reads=1, identity=shown)
        assert found["got"][0][0] == own.der[-32:].hex()
        found = probe(python, "talk", kind="tls", port=port, say="who am I?", reads=1)
        assert found["got"][0][0] == b"none".hex()


def test_an_identity_that_does_not_fit_is_a_mistake(python, identities):
    with serving(lambda connection: connection.recv(1)) as port:
        for pair in ((b"garbage", identities["p256"].key), (identities["p256"].der, b"garbage")):
            shown = [part.hex() for part in pair]
            answer, _ = probe(python, "connect", kind="tls", port=port, timeout=500, identity=shown)
            assert answer == {"error": "ValueError"}


def test_keys_that_the_phone_makes_serve_as_identity(python, identities):
    for kind, bits in (("rsa", 2048), ("ec", 256)):
        private_key, _ = crypto("native").make_key(kind, bits)
        loaded = serialization.load_der_private_key(private_key, None)
        own = Identity(identities["p256"].path.parent, f"made-{kind}", loaded, hashes.SHA256())
        with tls_serving(answer_once, identities["p256"], client=own) as port:
            shown = [own.der.hex(), private_key.hex()]
            found = probe(python, "talk", kind="tls", port=port, say="x", reads=1, identity=shown)
        assert found["got"][0][0] == b"answer to x".hex()


def wait_for_line(process, line):
    assert process.stdout.readline().strip() == line


def test_local_clients_are_served_side_by_side(python, tmp_path):
    path = tmp_path / "service"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    process = start(python, "local", {"path": str(path)}, stdin=subprocess.DEVNULL)
    wait_for_line(process, "ready")
    assert path.stat().st_mode & 0o777 == 0o660
    clients = []
    for _ in range(3):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        client.connect(str(path))
        clients.append(client)
    for number in (2, 0, 1):
        clients[number].sendall(b"hello %d" % number)
        assert clients[number].recv(100) == b"hello %d" % number
    clients[0].sendall(b"stop")
    assert clients[0].recv(100) == b"stop"
    for client in clients:
        client.close()
    assert finish(process) == {"idle": 0, "streams": 3, "nobody": None}
    assert not path.exists()


def test_a_file_of_the_name_of_the_socket_stays(python, tmp_path):
    (path := tmp_path / "service").write_text("precious")
    process = start(python, "local", {"path": str(path)}, stdin=subprocess.DEVNULL)
    assert "OSError" in process.communicate(timeout=30)[0] and path.read_text() == "precious"


def test_a_slow_client_blocks_nobody_and_one_that_has_gone_is_an_error(python, tmp_path):
    path = tmp_path / "service"
    process = start(python, "slow", {"path": str(path)}, stdin=subprocess.DEVNULL)
    wait_for_line(process, "ready")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        wait_for_line(process, "full")
    assert finish(process) == {"total": True, "full": 0, "gone": {"error": EPIPE}}


def test_the_console_reads_lines_and_their_end(python):
    process = start(python, "console", {"timeout": 60000}, stdin=subprocess.PIPE)
    process.stdin.write("show itl\r\n\nwithout end")
    process.stdin.close()
    process.stdin = None
    assert finish(process) == ["show itl", "", "without end"]


def test_the_console_waits_no_longer_than_it_may(python):
    process = start(python, "console", {"timeout": 50}, stdin=subprocess.PIPE)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.stdin.close()
    process.stdin = None
    lines = finish(process)
    assert lines and set(lines) == {None}
