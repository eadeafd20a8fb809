# SPDX-License-Identifier: MIT
from binascii import b2a_base64

from agent.flash.identity import Identity, parse_pem
from agent.flash.store import Store
from hal.fake import FakeFlash
from tests.helpers.agent.both import raises, vector
from tests.helpers.agent.building import der, library
from tests.helpers.agent.enrolling import certificate_for, new_pair
from tests.helpers.agent.phone_world import own_pair

SIZE = 65536


def identity(flash=None, mic=None):
    """A phone's certificates on a flash, as it starts."""
    store = Store(flash if flash is not None else FakeFlash(SIZE), library())
    found = Identity(store, library(), mic)
    found.load(store.load())
    return found


def test_without_any():
    found = identity()
    assert found.lsc is None and found.mic is None and found.shown is None
    assert found.private_keys() == [] and found.describe() is None


def test_lsc_before_mic():
    lsc, mic = new_pair(), own_pair()
    found = identity(mic=mic)
    assert found.shown == mic and found.private_keys() == [mic[1]] and found.describe() is None
    found.keep(lsc[0], lsc[1])
    assert found.shown == lsc and found.private_keys() == [lsc[1], mic[1]]
    found.drop()
    assert found.shown == mic and found.lsc is None


def test_survives_a_restart_and_leaves_with_its_key():
    flash = FakeFlash(SIZE)
    lsc = new_pair("ec", 384)
    identity(flash).keep(lsc[0], lsc[1])
    again = identity(flash)
    assert again.lsc == lsc and isinstance(again.lsc[0], bytes)
    again.drop()
    assert identity(flash).lsc is None
    store = Store(flash, library())
    assert store.load() is None, "nothing is left, not even an empty state"


def test_description():
    flash = FakeFlash(SIZE)
    found = identity(flash)
    found.keep(own_pair()[0], own_pair()[1])
    shown = found.describe()
    assert "CN=SEP00270DC01C92" in shown["subject"] and "O=Lab" in shown["issuer"]
    assert shown["serial"] == "376183b721e6a371054ef139c870c15087b41923"
    assert shown["not_after"] == "20451227000000Z" and shown["key"] == "rsa 2048"


def test_a_certificate_with_another_key_is_not_used():
    store = Store(FakeFlash(SIZE), library())
    store.load()
    certificate, key = new_pair()
    other, _ = new_pair()
    for stored in ((other, key), (b"no certificate", key), (certificate, b"no key")):
        store.save({"lsc": stored[0], "lsc-key": stored[1]})
        found = Identity(store, library())
        found.load(store.current)
        assert found.lsc is None
    store.save({"lsc": certificate, "lsc-key": None})
    found.load(store.current)
    assert found.lsc is None, "without a key it is none"


def test_a_mic_must_be_a_pair():
    certificate, key = own_pair()
    assert "not the one of the certificate" in str(raises(ValueError, identity, mic=(certificate, new_pair()[1])))
    raises(ValueError, identity, mic=(b"no certificate", key))
    raises(ValueError, identity, mic=(certificate, b"no key"))


def pem(label, content):
    return "-----BEGIN %s-----\n%s-----END %s-----\n" % (label, str(b2a_base64(content), "ascii"), label)


def test_pem():
    text = str(vector("lsc.pem"), "utf-8")
    certificate, key = parse_pem(text)
    assert certificate == der("lsc.cert.pem")
    assert library().public_key(key) == library().certificate(certificate).public_key
    assert parse_pem(text.replace("\n", "\r\n")) == (certificate, key)
    assert parse_pem("notes\n" + pem("PRIVATE KEY", key) + "more\n" + pem("CERTIFICATE", certificate)) == (
        certificate,
        key,
    )
    chain = pem("CERTIFICATE", certificate) + pem("CERTIFICATE", der("ca.cert.pem")) + pem("RSA PRIVATE KEY", key)
    assert parse_pem(chain) == (certificate, key), "the first certificate is the phone's"


def test_invalid_pem():
    certificate, key = pem("CERTIFICATE", b"c"), pem("EC PRIVATE KEY", b"k")
    for text, words in (
        ("", "no certificate"),
        (certificate, "no private key"),
        (key, "no certificate"),
        (certificate + pem("ENCRYPTED PRIVATE KEY", b"k"), "encrypted"),
        (
            certificate + "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n-----END RSA PRIVATE KEY-----",
            "encry",
        ),
        (certificate + "-----BEGIN PRIVATE KEY-----\nAAAA\n", "without its end"),
        ("-----BEGIN CERTIFICATE", "without its end"),
        (certificate + "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n", "not base64"),
    ):
        assert words in str(raises(ValueError, parse_pem, text)), text


def test_certificates_of_these_tests_are_read_alike():
    key, public_key = library().make_key("ec", 256)
    assert library().certificate(certificate_for(public_key)).public_key == public_key == library().public_key(key)
