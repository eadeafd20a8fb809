# SPDX-License-Identifier: MIT
"""The Python client asks for the phone's certificate and for signatures; an invalid answer is never taken for a valid one."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from host_tools.client import RequestRefused, TrustClient, Unsupported
from tests.helpers.native.signing_agent import SigningAgent, key_of, pair_of

DIGEST = hashlib.sha256(b"a handshake").digest()


@pytest.fixture(scope="module")
def key():
    return key_of("ec-256")


@pytest.fixture
def agent(tmp_path, key):
    with SigningAgent(tmp_path / "trust.sock", {"lsc": pair_of(key)}) as found:
        yield found


def test_certificate_and_signature(agent, key):
    with TrustClient(agent.path) as client:
        found = client.certificate()
        assert (found.key, found.der) == ("lsc", agent.pairs["lsc"][0])
        assert found.sha256 == hashlib.sha256(found.der).hexdigest()
        assert client.certificate("mic").der is None
        signature = client.sign("ecdsa", "sha256", DIGEST, certificate=found.sha256)
        key.public_key().verify(signature, DIGEST, ec.ECDSA(Prehashed(hashes.SHA256())))


def test_a_refusal_has_the_agents_words_and_the_connection_stays(agent):
    with TrustClient(agent.path) as client:
        for arguments in (("ecdsa", "sha256", DIGEST[:-1]), ("rsa-pss", "sha256", DIGEST)):
            with pytest.raises(RequestRefused):
                client.sign(*arguments)
        with pytest.raises(RequestRefused, match="no such key any more"):
            client.sign("ecdsa", "sha256", DIGEST, certificate="0" * 64)
        assert client.sign("ecdsa", "sha256", DIGEST)


@pytest.mark.parametrize("signature", [None, "", "AAA", "%%%%", 7, ["AAAA"], "AA=A"])
def test_what_is_no_signature(agent, signature):
    agent.answer = lambda request, answer: {**answer, "signature": signature}
    with TrustClient(agent.path) as client:
        with pytest.raises(Unsupported):
            client.sign("ecdsa", "sha256", DIGEST)


@pytest.mark.parametrize(
    "change", [{"key": 7}, {"certificate": "%"}, {"certificate": 7}, {"sha256": None}, {"key": None}]
)
def test_what_is_no_certificate(agent, change):
    agent.answer = lambda request, answer: {**answer, **change}
    with TrustClient(agent.path) as client:
        with pytest.raises(Unsupported):
            client.certificate()
