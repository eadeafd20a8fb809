# SPDX-License-Identifier: MIT
"""Certificates and signatures for other programs, on both Pythons: which programs get them, over what, and how many."""

import hashlib
from binascii import a2b_base64, b2a_base64, unhexlify

from agent.local.keys import MINUTE, Keys
from tests.helpers.agent.both import crypto, raises
from tests.helpers.agent.phone_world import own_pair
from tests.helpers.agent.rsa import opened, padded

TIMEOUT = 240
SHA256_INFO = unhexlify("3031300d060960864801650304020105000420")  # RFC 8017, 9.2, note 1
GROUP, USER = 1000, 1000


class Clock:
    now = 5

    def monotonic(self):
        return self.now


class Identity:
    def __init__(self, lsc=None, mic=None):
        self.lsc = lsc
        self.mic = mic


class Stream:
    """A program's connection."""

    def __init__(self, process=7, user=1001, group=GROUP):
        self.process = process
        self.user = user
        self.group = group


def keys(lsc=True, mic=None, limit=3, group=GROUP):
    return Keys(Identity(own_pair() if lsc else None, mic), crypto(), Clock(), limit, USER, group)


def request(**changes):
    digest = hashlib.sha256(b"a handshake").digest()
    found = {"key": "lsc", "scheme": "rsa-pkcs1", "digest": "sha256", "data": str(b2a_base64(digest), "ascii").strip()}
    found.update(changes)
    return found


def refused(made, stream, words, **changes):
    """Refused with these words, and counted."""
    before = made.refused
    error = raises(ValueError, made.sign, stream, request(**changes))
    assert words in str(error), error
    assert made.refused == before + 1 and made.signed == 0


def test_the_certificate_that_servers_are_shown_or_one_by_its_name():
    lsc = own_pair()
    made = keys()
    found = made.certificate({})
    assert found["key"] == "lsc" and a2b_base64(found["certificate"]) == lsc[0]
    assert found["sha256"] == hashlib.sha256(lsc[0]).digest().hex()
    assert made.certificate({"key": "mic"}) == {"key": "mic", "certificate": None, "sha256": None}
    only_mic = keys(lsc=False, mic=lsc)
    assert only_mic.certificate({})["key"] == "mic" and only_mic.certificate({"key": "lsc"})["certificate"] is None
    assert keys(lsc=False).certificate({}) == {"key": "lsc", "certificate": None, "sha256": None}
    for wrong in ("LSC", "", 1, ["lsc"]):
        assert "key must be one of: lsc, mic" in str(raises(ValueError, made.certificate, {"key": wrong}))


def test_a_signature_verifies_with_the_certificate():
    made = keys()
    signature = a2b_base64(made.sign(Stream(), request())["signature"])
    digest = hashlib.sha256(b"a handshake").digest()
    assert opened(own_pair()[0], signature) == padded(SHA256_INFO + digest)
    salted = opened(own_pair()[0], a2b_base64(made.sign(Stream(), request(scheme="rsa-pss"))["signature"]))
    assert salted[-1] == 0xBC and salted[:2] != b"\0\1", "RFC 8017, 9.1.1: EMSA-PSS"
    assert made.status() == {"signed": 2, "refused": 0, "limit": 3}


def test_nothing_but_a_digest_under_a_scheme_of_tls_is_signed():
    made = keys()
    for length in (0, 1, 20, 31, 33, 48, 51, 64, 256):
        refused(
            made, Stream(), "data must be a sha256 in base64, 32 bytes", data=str(b2a_base64(bytes(length)), "ascii")
        )
    for wrong in (None, 7, "%", ["AA=="]):
        refused(made, Stream(), "data must be", data=wrong)
    for wrong in ("rsa-bare", "rsa", "", None, 1, ["ecdsa"]):
        refused(made, Stream(), "scheme must be one of: ecdsa, rsa-pkcs1, rsa-pss", scheme=wrong)
    for wrong in ("sha1", "md5", None, 2):
        refused(made, Stream(), "digest must be one of: sha256, sha384, sha512", digest=wrong)
    refused(made, Stream(), "key must be one of", key=None)
    refused(made, Stream(), "key must be one of", key="capf")
    refused(made, Stream(), "this phone has no MIC", key="mic")
    refused(made, Stream(), "the LSC's key is not for ecdsa", scheme="ecdsa")


def test_another_certificate_than_the_program_thinks():
    made = keys()
    fingerprint = made.certificate({})["sha256"]
    assert "signature" in made.sign(Stream(), request(certificate=fingerprint))
    for other in ("0" * 64, fingerprint.upper(), "", 7):
        assert "another LSC by now" in str(raises(ValueError, made.sign, Stream(), request(certificate=other)))


def test_only_the_agents_group_its_user_and_root():
    words = "only programs of the agent's group"
    refused(keys(), Stream(group=1001), words)
    refused(keys(), Stream(group=0), words)
    refused(keys(group=None), Stream(), words)
    for allowed in (Stream(), Stream(user=0, group=0), Stream(user=USER, group=5)):
        assert "signature" in keys().sign(allowed, request())
    nobody = Keys(Identity(own_pair()), crypto(), Clock(), 3)
    assert "signature" in nobody.sign(Stream(user=0), request())
    assert words in str(raises(ValueError, nobody.sign, Stream(), request()))


def test_a_program_gets_so_many_a_minute_and_its_user_four_times_as_many():
    made = keys(limit=2)
    for _ in range(2):
        made.sign(Stream(process=1), request())
    assert "a program gets 2 signatures a minute" in str(raises(ValueError, made.sign, Stream(process=1), request()))
    for process in (2, 3, 4):  # who starts itself anew does not get more and more
        made.sign(Stream(process=process), request())
        made.sign(Stream(process=process), request())
    found = str(raises(ValueError, made.sign, Stream(process=5), request()))
    assert "the programs of a user get 8 signatures a minute" in found, found
    assert "signature" in made.sign(Stream(process=6, user=0), request()), "another user's programs suffer from it"
    assert (made.signed, made.refused) == (9, 2)
    made._clock.now += MINUTE - 1
    raises(ValueError, made.sign, Stream(process=1), request())
    made._clock.now += 1
    assert "signature" in made.sign(Stream(process=1), request())


def test_what_is_refused_costs_a_program_nothing():
    made = keys(limit=1)
    for _ in range(5):
        raises(ValueError, made.sign, Stream(), request(digest="sha1"))
    assert "signature" in made.sign(Stream(), request())
    assert "signature" in keys(limit=1).sign(Stream(), request())
    assert raises(ValueError, keys(limit=0).sign, Stream(), request())
