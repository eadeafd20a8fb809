# SPDX-License-Identifier: MIT
"""Unmodified programs use the phone's key by PKCS#11: OpenSC, p11-kit, GnuTLS, OpenSSL's provider, curl."""

import contextlib
import os
import socket
import ssl
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from agent.formats import pem
from tests.helpers.native.make import make
from tests.helpers.native.signing_agent import SigningAgent, key_of, pair_of
from tests.helpers.servers import trixie

URI = "pkcs11:token=phonetrust;object=%s;type=private"


def run(command, environment, text=None, status=0):
    done = subprocess.run(
        [str(part) for part in command], env=environment, input=text, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def module():
    make("native/pkcs11", "all")
    trixie.fetch()
    return trixie.MODULE


@pytest.fixture(scope="module")
def keys():
    return {"lsc": key_of("rsa-2048"), "mic": key_of("ec-384")}


@pytest.fixture
def agent(tmp_path, keys):
    pairs = {name: pair_of(key, f"CP-8861-{name}") for name, key in keys.items()}
    with SigningAgent(tmp_path / "trust.sock", pairs) as found:
        yield found


@pytest.fixture
def environment(agent, tmp_path):
    return trixie.environment(tmp_path, agent.path)


@pytest.fixture
def host(agent):
    """The environment of this PC's own programs."""
    return {**os.environ, "PHONETRUST_SOCKET": agent.path}


def verify(key, signature, data):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        key.public_key().verify(signature, data, ec.ECDSA(hashes.SHA256()))
    else:
        key.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())


def test_pkcs11_tool(module, agent, host, keys, tmp_path):
    tool = ["pkcs11-tool", "--module", module]
    assert "token label        : phonetrust" in run([*tool, "--list-slots"], host)
    objects = run([*tool, "--list-objects"], host)
    assert objects.count("Private Key Object; RSA") == 1 and objects.count("never extractable") == 2
    data = tmp_path / "data"
    data.write_bytes(b"a handshake")
    number = objects.split("Private Key Object; RSA")[1].split("ID:")[1].split()[0]
    run([*tool, "--sign", "-m", "SHA256-RSA-PKCS", "--id", number, "-i", data, "-o", tmp_path / "signature"], host)
    verify(keys["lsc"], (tmp_path / "signature").read_bytes(), b"a handshake")
    wrong = run([*tool, "--decrypt", "-m", "RSA-PKCS", "--id", number, "-i", data], host, status=1)
    assert "C_DecryptInit failed: rv = CKR_FUNCTION_NOT_SUPPORTED" in wrong


def test_p11_kit_and_p11tool(module, agent, host, tmp_path):
    shown = run(["p11tool", "--provider", module, "--list-all"], host)
    assert shown.count("object=LSC") == 3 and shown.count("object=MIC") == 3 and "CKA_SENSITIVE" in shown
    listed = run(["p11tool", "--provider", module, "--list-tokens"], host)
    assert "token=phonetrust" in listed
    exported = run(["p11tool", "--provider", module, "--export", "pkcs11:token=phonetrust;object=LSC;type=cert"], host)
    der, _ = agent.pairs["lsc"]
    assert x509.load_pem_x509_certificate(exported.encode()).public_bytes(serialization.Encoding.DER) == der


def test_through_p11_kits_server(module, agent, host, keys, tmp_path):
    """p11-kit forks a process that has the module, and its own module speaks to that one."""
    socket = tmp_path / "p11-kit.sock"
    with subprocess.Popen(
        ["p11-kit", "server", "--foreground", "--provider", module, "--name", socket, "pkcs11:token=phonetrust"],
        env=host, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        try:
            assert server.stdout.readline().startswith("P11_KIT_SERVER_ADDRESS")  # said when it listens
            client = ["pkcs11-tool", "--module", "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"]
            remote = {**host, "P11_KIT_SERVER_ADDRESS": f"unix:path={socket}"}
            objects = run([*client, "--list-objects"], remote)
            number = objects.split("Private Key Object; RSA")[1].split("ID:")[1].split()[0]
            (tmp_path / "data").write_bytes(b"a handshake")
            signing = ["--sign", "-m", "SHA256-RSA-PKCS", "--id", number]
            run([*client, *signing, "-i", tmp_path / "data", "-o", tmp_path / "signature"], remote)
            verify(keys["lsc"], (tmp_path / "signature").read_bytes(), b"a handshake")
        finally:
            server.terminate()


class TlsServer:
    """A TLS server that wants a client certificate and answers one HTTP request each connection."""

    def __init__(self, folder, trusted, version):
        certificate, key = pair_of(key_of("rsa-2048"), "127.0.0.1")
        (folder / "server.pem").write_text(pem.block("CERTIFICATE", certificate) + pem.block("RSA PRIVATE KEY", key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(folder / "server.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=pem.block("CERTIFICATE", trusted))
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self.shown = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.settimeout(10)
                with self._context.wrap_socket(connection, server_side=True) as stream:
                    stream.recv(4096)
                    self.shown.append(stream.getpeercert(True))
                    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nwelcome!\n")
                    stream.unwrap()

    def close(self):
        self._listener.close()


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def server(request, agent, tmp_path):
    """server(name) -> a TLS server that trusts this certificate of the phone's."""
    made = []

    def make(name):
        made.append(TlsServer(tmp_path, agent.pairs[name][0], request.param))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("name", ["lsc", "mic"])
def test_gnutls_cli(module, agent, host, server, name):
    one = server(name)
    objects = f"pkcs11:token=phonetrust;object={name.upper()}"
    command = [
        "gnutls-cli", "--provider", module, "--insecure", "--port", one.port, "127.0.0.1",
        "--x509certfile", f"{objects};type=cert", "--x509keyfile", f"{objects};type=private",
    ]  # fmt: skip
    assert "welcome!" in run(command, host, "GET / HTTP/1.0\r\n\r\n")
    assert one.shown == [agent.pairs[name][0]] and len(agent.signed()) >= 1


@pytest.mark.parametrize("name", ["lsc", "mic"])
def test_openssl_and_curl_by_one_file(module, agent, environment, server, tmp_path, keys, name):
    """Certificate and the block that stands for the key in one file, where a private key in PEM is expected."""
    file = tmp_path / "phone.pem"
    file.write_text(pem.block("CERTIFICATE", agent.pairs[name][0]) + pem.provider_uri(URI % name.upper()))
    (tmp_path / "data").write_bytes(b"a handshake")
    signing = ["dgst", "-sha256", "-sign", file, "-out", tmp_path / "signature", tmp_path / "data"]
    run(trixie.command("openssl", *signing), environment)
    verify(keys[name], (tmp_path / "signature").read_bytes(), b"a handshake")
    one = server(name)
    s_client = ["s_client", "-quiet", "-connect", f"127.0.0.1:{one.port}", "-cert", file, "-key", file]
    assert "welcome!" in run(trixie.command("openssl", *s_client), environment, "GET / HTTP/1.0\r\n\r\n")
    curl = ["-sk", "--cert", file, "--key", file, f"https://127.0.0.1:{one.port}/"]
    assert "welcome!" in run(trixie.command("curl", *curl), environment)
    assert one.shown == [agent.pairs[name][0]] * 2


def test_openssl_without_an_agent(module, agent, environment, tmp_path):
    file = tmp_path / "phone.pem"
    file.write_text(pem.provider_uri(URI % "LSC"))
    agent.close()
    said = run(trixie.command("openssl", "pkey", "-in", file, "-pubout"), environment, status=1)
    assert "BEGIN" not in said
