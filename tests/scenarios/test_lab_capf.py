# SPDX-License-Identifier: MIT
"""The lab's CAPF server against a phone of raw bytes: each operation, each way to authenticate, and each way to fail."""

import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools.lab.model.keys import make_identity
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.procedure import MAC
from tests.helpers.lab.raw_capf_phone import RawPhone, certificate_element, new_key, proof, public_der, sign

END, KEYGEN, STORE, FETCH, DELETE, IN_PROGRESS = 15, 3, 9, 11, 13, 17
LSC, MIC = 1, 2


def install(port, key, kind_elements, *authentication, password=b""):
    """A whole installation; returns the new LSC (x509 object)."""
    with RawPhone(port) as phone:
        command, elements = phone.authenticate(*authentication, password=password)
        assert (command, elements) == (KEYGEN, kind_elements)
        phone.say(IN_PROGRESS)
        phone.say(4, (9, public_der(key)))
        command, elements = phone.hear()
        assert command == STORE
        head, der = elements[4][:5], elements[4][5:]
        assert head == b"\1" + struct.pack(">H", len(der) + 2) + b"\0\1"
        phone.say(10, (1, b"\1"))
        assert phone.hear() == (END, {1: b"\1"})
        assert phone.hear() is None
        return x509.load_der_x509_certificate(der)


@pytest.mark.parametrize(
    "kind, elements",
    [
        ("rsa-1024", {17: b"\0", 10: b"\x04\0"}),
        ("rsa-2048", {17: b"\0", 10: b"\x08\0"}),
        ("ec-256", {17: b"\1", 18: b"\0"}),
        ("ec-384", {17: b"\1", 18: b"\1"}),
        ("ec-521", {17: b"\1", 18: b"\2"}),
    ],
)
def test_a_phone_gets_its_lsc_and_authenticates_with_it_the_next_time(cluster, kind, elements):
    cluster.set_capf(MAC, "install", key=kind)
    key = new_key(kind)
    with cluster.serve() as serving:
        port = serving.port("capf")
        lsc = install(port, key, elements)
        assert lsc.public_key() == key.public_key()
        authority = x509.load_der_x509_certificate(cluster.certificate("capf"))
        lsc.verify_directly_issued_by(authority)
        assert lsc.subject.rfc4514_string().endswith(f"CN=CP-8861-SEP{MAC}")
        der = lsc.public_bytes(Encoding.DER)
        assert cluster.phone_certificate(MAC) == der
        assert cluster.data["phones"][MAC]["capf"]["operation"] == "none"
        cluster.set_capf(MAC, "update", "lsc", key="ec-256")
        install(port, new_key("ec-256"), {17: b"\1", 18: b"\0"}, *proof(key, der, LSC))
        assert cluster.phone_certificate(MAC) != der


def test_nothing_to_do(cluster):
    with cluster.serve() as serving, RawPhone(serving.port("capf")) as phone:
        assert phone.peer == cluster.certificate("capf")
        assert phone.authenticate() == (END, {1: b"\0"})


def test_an_unknown_phone_is_told_so(cluster):
    with cluster.serve() as serving:
        for device in (b"SEP001122334455\0", b"CP-8861-SEP001122334455\0", b"nonsense\0"):
            with RawPhone(serving.port("capf")) as phone:
                assert phone.authenticate(device=device) == (END, {1: b"\x09"})
        with RawPhone(serving.port("capf")) as phone:
            assert phone.authenticate(device=b"CP-8861-SEP00270DC01C92\0") == (END, {1: b"\0"})


def test_the_string_must_be_right(cluster):
    cluster.set_capf(MAC, "install", "string", "12345")
    with cluster.serve() as serving:
        for wrong in (b"", b"1234", b"123456", b"54321"):
            with RawPhone(serving.port("capf")) as phone:
                assert phone.authenticate(password=wrong) == (END, {1: b"\x07"})
        with RawPhone(serving.port("capf")) as phone:
            assert phone.authenticate(password=b"12345")[0] == KEYGEN
        assert serving.events.wait_for(service="capf", what="authenticated", by="string")


def test_a_mic_of_the_manufacturer_or_one_that_was_made_known(cluster):
    mic = cluster.make_mic(MAC)
    stranger = make_identity(f"CP-8861-SEP{MAC}", PooledKeys().rsa())
    cluster.set_capf(MAC, "install", "mic")
    with cluster.serve() as serving:
        port = serving.port("capf")
        with RawPhone(port) as phone:
            sudi = struct.pack("<I", phone.number) + mic.der
            parts = [(0, mic.der), (1, sign(mic.key, "sha1", sudi)), (3, sign(mic.key, "sha512", sudi))]
            value = b"".join(struct.pack(">BH", tag, len(part)) + part for tag, part in parts)
            assert phone.authenticate(*proof(mic.key, mic.der, MIC), (16, value))[0] == KEYGEN
        with RawPhone(port) as phone:
            wrong = value[:-1] + bytes([value[-1] ^ 1])
            assert phone.authenticate(*proof(mic.key, mic.der, MIC), (16, wrong)) == (END, {1: b"\x07"})
        refused = [
            proof(stranger.key, stranger.der, MIC),  # nobody knows it
            proof(mic.key, mic.der, LSC),  # another kind than was asked for
            proof(stranger.key, mic.der, MIC),  # not its key
            [certificate_element(MIC, mic.der)],  # nothing proven
            [],
        ]
        for elements in refused:
            with RawPhone(port) as phone:
                assert phone.authenticate(*elements) == (END, {1: b"\x07"})
        cluster.add_phone(MAC, mic=stranger.pem())
        with RawPhone(port) as phone:
            assert phone.authenticate(*proof(stranger.key, stranger.der, MIC))[0] == KEYGEN


def test_a_phone_without_its_lsc_shows_its_mic(cluster):
    mic = cluster.make_mic(MAC)
    stranger = make_identity(f"CP-8861-SEP{MAC}", PooledKeys().rsa())
    cluster.set_capf(MAC, "install", "lsc", key="ec-256")
    key = new_key("ec-256")
    with cluster.serve() as serving:
        port = serving.port("capf")
        for elements in (proof(stranger.key, stranger.der, MIC), proof(stranger.key, stranger.der, LSC), []):
            with RawPhone(port) as phone:
                assert phone.authenticate(*elements) == (END, {1: b"\x07"})
        lsc = install(port, key, {17: b"\1", 18: b"\0"}, *proof(mic.key, mic.der, MIC))
        assert serving.events.wait_for(service="capf", what="authenticated", by="mic")
        cluster.set_capf(MAC, "update", "lsc", key="ec-256")
        install(port, key, {17: b"\1", 18: b"\0"}, *proof(key, lsc.public_bytes(Encoding.DER), LSC))
        assert serving.events.wait_for(service="capf", what="authenticated", by="lsc")
        cluster.set_capf(MAC, "update", "mic", key="ec-256")
        with RawPhone(port) as phone:  # the other way round there is no falling back
            der = cluster.phone_certificate(MAC)
            assert phone.authenticate(*proof(key, der, LSC)) == (END, {1: b"\x07"})


def test_retry_later_and_still_at_work(cluster):
    cluster.set_capf(MAC, "install", key="ec-256", retry_later=90)
    key = new_key("ec-256")
    with cluster.serve() as serving:
        with RawPhone(serving.port("capf")) as phone:
            assert phone.authenticate() == (END, {1: b"\0", 12: b"\0\x5a"})
        cluster.set_capf(MAC, "install", key="ec-256", in_progress=2)
        with RawPhone(serving.port("capf")) as phone:
            assert phone.authenticate()[0] == KEYGEN
            phone.say(4, (9, public_der(key)))
            assert [phone.hear()[0] for _ in range(3)] == [IN_PROGRESS, IN_PROGRESS, STORE]


def test_fetch_and_delete(cluster):
    cluster.set_capf(MAC, "install", key="ec-256")
    with cluster.serve() as serving:
        port = serving.port("capf")
        der = install(port, new_key("ec-256"), {17: b"\1", 18: b"\0"}).public_bytes(Encoding.DER)
        cluster.set_capf(MAC, "fetch")
        with RawPhone(port) as phone:
            assert phone.authenticate()[0] == FETCH
            phone.say(12, (1, b"\1"), certificate_element(LSC, der))
            assert phone.hear() == (END, {1: b"\1"})
        assert cluster.phone_certificate(MAC) == der
        cluster.set_capf(MAC, "delete")
        with RawPhone(port) as phone:
            assert phone.authenticate()[0] == DELETE
            phone.say(14, (1, b"\1"))
            assert phone.hear() == (END, {1: b"\1"})
        assert cluster.phone_certificate(MAC) is None
        cluster.set_capf(MAC, "fetch")
        with RawPhone(port) as phone:
            assert phone.authenticate()[0] == FETCH
            phone.say(12, (1, b"\x07"))
            assert phone.hear() == (END, {1: b"\0"})


@pytest.mark.parametrize("moment", ["before the key", "after the key", "stored with an error"])
def test_a_session_that_breaks_off_leaves_the_operation_pending(cluster, moment):
    cluster.set_capf(MAC, "install", key="ec-256")
    key = new_key("ec-256")
    with cluster.serve() as serving:
        with RawPhone(serving.port("capf")) as phone:
            assert phone.authenticate()[0] == KEYGEN
            if moment != "before the key":
                phone.say(4, (9, public_der(key)))
                assert phone.hear()[0] == STORE
            if moment == "stored with an error":
                phone.say(10, (1, b"\x07"))
                assert phone.hear() == (END, {1: b"\x07"})
        assert serving.events.wait_for(service="capf", what="failed connection" if "key" in moment else "end")
        assert cluster.phone_certificate(MAC) is None
        install(serving.port("capf"), key, {17: b"\1", 18: b"\0"})


def test_bad_messages_end_the_session_and_nothing_else(cluster):
    cluster.set_capf(MAC, "install", key="ec-256")
    with cluster.serve() as serving:
        port = serving.port("capf")
        with RawPhone(port) as phone:
            phone.say(2, (1, b"\1"), number=phone.number ^ 1)
            assert phone.hear() == (END, {1: b"\x07"})
        for bad in (b"\x55\x02", b"\x56\x02\0\0\0\0\0\0", b"\x55\x02\0\0\0\0\xff\xff"):
            with RawPhone(port) as phone:
                phone.stream.sendall(bad)
                if len(bad) >= 8:
                    assert phone.hear() == (END, {1: b"\x07"})
        for elements in ([], [(13, b"no nul")], [(13, b"x\0"), (13, b"x\0")]):
            with RawPhone(port) as phone:
                phone.say(2, *elements)
                assert phone.hear() == (END, {1: b"\x07"})
        for answer in ([(9, b"no key")], [(9, public_der(new_key("ec-384")))], [(1, b"\x07")], []):
            with RawPhone(port) as phone:
                assert phone.authenticate()[0] == KEYGEN
                phone.say(4, *answer)
                assert phone.hear() == (END, {1: b"\x07"})
        install(port, new_key("ec-256"), {17: b"\1", 18: b"\0"})
