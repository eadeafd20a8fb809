# SPDX-License-Identifier: MIT
"""Conformance of the HALs: TLS with the keys and versions that servers have, the certificate's judgement, and ends."""

import ssl

import pytest
from cryptography.hazmat.primitives import hashes, serialization

from hal.host import crypto
from tests.helpers.servers import hal_sides
from tests.helpers.servers.hal_identities import Identity

EACCES, EPROTO, ETIMEDOUT, ECONNREFUSED = 13, 71, 110, 111


@pytest.fixture(params=[*hal_sides.REAL, "fake"])
def side(request):
    return hal_sides.side(request.param)


@pytest.fixture(params=hal_sides.REAL)
def real(request):
    return hal_sides.side(request.param)


@pytest.mark.parametrize("name", ["rsa1024", "rsa2048", "p256", "p384"])
@pytest.mark.parametrize("version", hal_sides.VERSIONS)
def test_any_key_gives_the_certificate(real, identities, name, version):
    with real.tcp(hal_sides.ANSWERS, hal_sides.server_context(identities[name], version)) as port:
        found = real.probe("talk", kind="tls", port=port, say="hello")
    assert found["got"][0][0] == b"answer to hello".hex()
    assert found["certificate"] == identities[name].der.hex()


def test_key_exchange_by_rsa_only_where_it_is_set(real, identities):
    context = hal_sides.server_context(identities["rsa2048"], ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-GCM-SHA256")
    with real.tcp(hal_sides.ANSWERS, context) as port:
        refused = real.probe("connect", kind="tls", port=port, patience=20000)
    assert refused["found"] == {"error": EPROTO} and refused["asked"] == []
    with real.tcp(hal_sides.ANSWERS, context) as port:
        found = real.probe("talk", kind="tls", port=port, say="hello", rsa=True)
    assert found["got"][0][0] == b"answer to hello".hex()


def test_a_port_without_a_listener(side):
    with hal_sides.closed_port() as port:
        found = side.probe("connect", kind="tls", port=port, patience=20000)
    assert found["found"] == {"error": ECONNREFUSED} and found["asked"] == []


def test_a_server_that_falls_silent(side, identities):
    with side.tcp(hal_sides.ANSWERS, hal_sides.server_context(identities["p256"])) as port:
        found = side.probe("talk", kind="tls", port=port, say="x", patience=500, reads=2)
    assert found["got"][0][0] == b"answer to x".hex()
    assert found["got"][1][0] == {"error": ETIMEDOUT} and 450 <= found["got"][1][1] < 5000


@pytest.mark.parametrize("steps", [hal_sides.SAYS_BYE, hal_sides.IS_CUT])
def test_an_end_is_orderly_only_where_the_server_says_it(side, identities, steps):
    with side.tcp(steps, hal_sides.server_context(identities["p256"])) as port:
        found = side.probe("talk", kind="tls", port=port, say="x", reads=3)
    assert [got for got, _ in found["got"]] == [b"bye".hex(), "", ""]
    assert found["orderly"] == (steps is hal_sides.SAYS_BYE)


def test_a_server_that_speaks_first(side, identities):
    with side.tcp(hal_sides.SPEAKS_FIRST, hal_sides.server_context(identities["rsa2048"])) as port:
        found = side.probe("talk", kind="tls", port=port)
    assert found["got"][0][0] == b"first".hex()


def test_the_certificate_is_asked_about_once_and_no_ends_it(side, identities):
    with side.tcp(hal_sides.ANSWERS, hal_sides.server_context(identities["p256"])) as port:
        found = side.probe("connect", kind="tls", port=port, patience=20000, verdict=False)
    assert found["found"] == {"error": EACCES}
    assert found["asked"] == [identities["p256"].der.hex() if side.real else b"DER".hex()]


@pytest.mark.parametrize("version", hal_sides.VERSIONS)
def test_a_question_that_takes_long_holds_the_handshake_but_not_beyond_its_deadline(real, identities, version):
    context = hal_sides.server_context(identities["p256"], version)
    with real.tcp(hal_sides.ANSWERS, context) as port:
        found = real.probe("talk", kind="tls", port=port, say="x", pause=300)
        assert found["got"][0][0] == b"answer to x".hex()
    if version is ssl.TLSVersion.TLSv1_2:  # in TLS 1.3 nothing of the server is due after the yes
        with real.tcp(hal_sides.ANSWERS, context) as port:
            found = real.probe("connect", kind="tls", port=port, patience=1500, pause=1600)
        assert found["found"] == {"error": ETIMEDOUT}


@pytest.mark.parametrize("encoding", ["key", "key8"])
@pytest.mark.parametrize("name", ["rsa2048", "p256"])
def test_the_identity_is_shown_if_asked_for(real, identities, name, encoding):
    own = identities[name]
    shown = [own.der.hex(), getattr(own, encoding).hex()]
    seen = []

    def tells(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(100)
            seen.append(secure.getpeercert(True))
            secure.sendall(b"thanks")
            secure.recv(1)

    context = hal_sides.server_context(identities["rsa2048"], client=own)
    with hal_sides.serving(tells) as port:
        for identity in (shown, None):
            found = real.probe("talk", kind="tls", port=port, say="who am I?", identity=identity)
            assert found["got"][0][0] == b"thanks".hex()
    assert seen == [own.der, None]


def test_an_identity_that_does_not_fit_is_a_mistake(real, identities):
    one, other = identities["p256"], identities["p384"]
    with hal_sides.serving(lambda connection: connection.recv(1)) as port:
        for pair in ((b"garbage", one.key), (one.der, b"garbage"), (one.der, other.key)):
            shown = [part.hex() for part in pair]
            found = real.probe("connect", kind="tls", port=port, patience=500, identity=shown)
            assert found["found"] == {"error": "ValueError"}


def test_keys_that_the_phone_makes_serve_as_identity(real, identities, tmp_path):
    for kind, bits in (("rsa", 2048), ("ec", 256)):
        private_key, _ = crypto("native").make_key(kind, bits)
        loaded = serialization.load_der_private_key(private_key, None)
        own = Identity(tmp_path, f"made-{kind}", loaded, hashes.SHA256())
        with real.tcp(hal_sides.ANSWERS, hal_sides.server_context(identities["p256"], client=own)) as port:
            found = real.probe("talk", kind="tls", port=port, say="x", identity=[own.der.hex(), private_key.hex()])
        assert found["got"][0][0] == b"answer to x".hex()
