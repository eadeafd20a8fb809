# SPDX-License-Identifier: MIT
"""libphonetrust's TLS against Python's ssl: clients that are verified, data both ways, names, and who speaks first."""

import socket
import ssl
import tempfile
import threading

import pytest

from tests.helpers.tls.identity import identity
from tests.helpers.tls.pythons import PYTHONS, exchanges

VERSIONS = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}
KEYS = ("rsa2048", "rsa3072", "rsa4096", "ec256", "ec384", "ec521")
PATIENCE = 30


class SslServer:
    """Serves one connection: shake hands, run `work(connection)`, end TLS in order. `shown`: the client's certificate."""

    def __init__(self, key, version, work, client=None, prepare=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(identity(key).pem)
            file.flush()
            self.context.load_cert_chain(file.name)
        if version:
            self.context.minimum_version = self.context.maximum_version = VERSIONS[version]
        if client:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            self.context.load_verify_locations(cadata=identity(client, "client").certificate)
        if prepare:
            prepare(self.context)
        self._work = work
        self.shown, self.error = None, None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        try:
            plain, _ = self._listener.accept()
            plain.settimeout(PATIENCE)
            with self.context.wrap_socket(plain, server_side=True) as secure:
                self.shown = secure.getpeercert(True)
                self._work(secure)
                secure.unwrap().close()
        except (OSError, ssl.SSLError) as error:
            self.error = error

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._thread.join(PATIENCE)
        self._listener.close()
        assert not self._thread.is_alive()


def exactly(secure, count):
    data = b""
    while len(data) < count:
        data += secure.recv(65536)
    return data


def greet(secure):
    secure.sendall(b"hello")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("client", ["rsa2048", "ec256", "ec521"])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_certificate_is_proved(version, key, client, python):
    with SslServer(key, version, greet, client) as server:
        case = {"port": server.port, "enough": 100, "identity": identity(client, "client").pair}
        result = exchanges(python, case)[0]
    assert (result["text"], result["state"], result["read"]) == ("", "ended", b"hello")
    assert server.shown == identity(client, "client").certificate
    assert server.error is None


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_without_the_certificate_that_it_wants(version, python):
    with SslServer("ec256", version, greet, "ec256") as server:
        case = {"port": server.port, "enough": 100, "identity": identity("rsa2048", "client").pair}
        strange, none = exchanges(python, case)[0], None
    with SslServer("ec256", version, greet, "ec256") as server:
        none = exchanges(python, {"port": server.port, "enough": 100})[0]
    assert strange["failure"] == none["failure"] == "tls-alert"
    assert "trusts the issuer of this phone's certificate" in strange["text"]
    words = {"TLS 1.2": "it asked for a certificate: give this phone one", "TLS 1.3": "give this phone a certificate"}
    assert words[version] in none["text"]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_much_data_both_ways(version, python):
    request = bytes(range(256)) * 300  # 75 KB up, 300 KB down in records of 16 KB

    def work(secure):
        secure.sendall(exactly(secure, len(request)) * 4)

    with SslServer("ec256", version, work) as server:
        result = exchanges(python, {"port": server.port, "request": request, "enough": 10**6})[0]
    assert (result["text"], result["state"]) == ("", "ended")
    assert result["read"] == request * 4


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", [None, "tvs.example"])
def test_the_name_of_the_server(name, python):
    asked = []

    def prepare(context):
        context.sni_callback = lambda secure, server_name, context: asked.append(server_name)

    with SslServer("ec256", None, greet, prepare=prepare) as server:
        assert exchanges(python, {"port": server.port, "enough": 100, "name": name})[0]["read"] == b"hello"
    assert asked == [name]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_speaks_first_and_ends_tls_behind_its_data(version, python):
    with SslServer("ec256", version, lambda secure: secure.sendall(b"x" * 40000)) as server:
        result = exchanges(python, {"port": server.port, "enough": 10**6})[0]
    assert (result["state"], result["read"]) == ("ended", b"x" * 40000)
