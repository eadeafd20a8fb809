# SPDX-License-Identifier: MIT
"""The C client asks for the phone's certificate and for signatures: plain, under valgrind and under sanitizers."""

import base64

import pytest

from tests.helpers.native.client_agent import CLOSED, PROTOCOL, REFUSED, SPACE, says

SHA256 = "0123456789abcdef" * 4
NONE = {"key": "", "sha256": "", "text": "", "certificate": b""}
NO_SIGNATURE = {"text": "", "signature": b""}


def one(results):
    assert results[0] == ("open", 0, {}) and len(results) == 2, results
    return results[1][1:]


def certificate(der, **changes):
    return {"key": "lsc", "sha256": SHA256, "certificate": base64.b64encode(der).decode(), **changes}


@pytest.mark.parametrize("size", [1, 2, 3, 1000, 8190, 8191, 8192])
def test_certificates_of_all_sizes_arrive(run, size):
    der = bytes(index & 0xFF for index in range(size))
    result, found = one(run(says(certificate(der)), "certificate=lsc"))
    assert result == 0 and found == {"key": "lsc", "sha256": SHA256, "text": "", "certificate": der}
    assert run.agent.heard == [{"id": 1, "do": "certificate", "key": "lsc"}]


def test_a_phone_without_a_certificate_is_no_error(run):
    answer = {"key": "lsc", "sha256": None, "certificate": None}
    assert one(run(says(answer), "certificate=")) == (0, {**NONE, "key": "lsc"})
    assert run.agent.heard == [{"id": 1, "do": "certificate"}]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        certificate(b""),
        certificate(b"x", certificate="AA=A"),
        certificate(b"x", certificate="AAA"),
        certificate(b"x", certificate="A==="),
        certificate(b"x", certificate="===="),
        certificate(b"x", certificate="AB=="),  # bits that stand for nothing
        certificate(b"x", certificate="AAA=AAAA"),
        certificate(b"x", certificate="AA\nAA"),
        certificate(b"x", certificate=["AAAA"]),
        certificate(b"x" * 8193),
        certificate(b"x", sha256="0"),
        certificate(b"x", sha256=SHA256 + "0"),
        certificate(b"x", sha256=SHA256.upper()),
        certificate(b"x", sha256=None),
        certificate(b"x", key=1),
        {**certificate(b"x"), "certificate": "A" * 12000},
    ],
    ids=range(17),
)
def test_an_answer_that_is_no_certificate_closes_the_connection(run, answer):
    results = run(says(answer), "certificate=lsc", "certificate=lsc")
    assert results[1] == ("certificate", PROTOCOL, NONE)
    assert results[2][1] == CLOSED


def test_sign(run):
    signature = bytes(range(256))
    answer = {"signature": base64.b64encode(signature).decode()}
    assert one(run(says(answer), "sign=rsa-pss:32")) == (0, {"text": "", "signature": signature})
    data = base64.b64encode(b"x" * 32).decode()
    wanted = {"key": "lsc", "certificate": "00ff", "scheme": "rsa-pss", "digest": "sha256", "data": data}
    assert run.agent.heard == [{"id": 1, "do": "sign", **wanted}]


def test_a_refusal_has_the_agents_words_and_the_connection_stays(run):
    refused = {"ok": False, "error": "60 signatures a minute are all that one program gets"}
    signed = {"signature": "AAAA"}
    results = run(says(refused, signed, refused), "sign=ecdsa:32", "sign=ecdsa:64", "certificate=mic")
    assert results[1] == ("sign", REFUSED, {"text": refused["error"], "signature": b""})
    assert results[2] == ("sign", 0, {"text": "", "signature": b"\0\0\0"})
    assert results[3] == ("certificate", REFUSED, {**NONE, "text": refused["error"]})


def test_what_is_too_long_is_not_sent(run):
    results = run(says(), "sign=ecdsa:65", f"sign={'s' * 100}:32", f"certificate={'k' * 100}")
    assert [result for _, result, _ in results[1:]] == [SPACE] * 3
    assert run.agent.heard == []


@pytest.mark.parametrize("text", ["", "AAA", "====", 1, None, "A" * 688, "A" * 4000])
def test_an_answer_that_is_no_signature_closes_the_connection(run, text):
    results = run(says({"signature": text}), "sign=ecdsa:32", "sign=ecdsa:32")
    assert results[1] == ("sign", PROTOCOL, NO_SIGNATURE) and results[2][1] == CLOSED


def test_the_longest_signature_arrives(run):
    answer = {"signature": base64.b64encode(b"s" * 512).decode()}
    assert one(run(says(answer), "sign=ecdsa:32")) == (0, {"text": "", "signature": b"s" * 512})
