# SPDX-License-Identifier: MIT
"""Encrypted configuration: the lab's files and the vector are read by one and the same independent reader."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import Identity, make_identity
from host_tools.lab.writers.encryption import encrypted_file
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.procedure import MAC

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
NAME = f"SEP{MAC}.cnf.xml"


def test_the_vector_is_read():
    key = serialization.load_pem_private_key((VECTORS / "lsc.pem").read_bytes(), None)
    plain = (VECTORS / NAME).read_bytes()
    assert File((VECTORS / f"{NAME}.enc.sgn").read_bytes()).decrypt(key) == plain


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 5000])
def test_what_is_encrypted_can_be_decrypted(length):
    phone, signer = make_identity("phone", PooledKeys().rsa()), make_identity("signer", PooledKeys().rsa())
    plain = bytes(range(256)) * 20
    file = File(encrypted_file("x.enc.sgn", plain[:length], phone.certificate, signer, 1))
    file.verify(signer.der)
    assert file.decrypt(phone.key) == plain[:length]
    assert len(file.body) % 16 == 0 and plain[:16] not in file.data
    try:
        opened = file.decrypt(signer.key)
    except (ValueError, AssertionError):
        return
    # OpenSSL answers a wrong key with random bytes of a random length, which now and then are an AES key. What tells then
    # is the digest of the plaintext, and of no plaintext there is only one.
    assert length == 0 and opened == b""


def test_the_header_has_the_fields_order_and_sizes_of_the_vector():
    phone, signer = make_identity("phone", PooledKeys().rsa()), make_identity("signer", PooledKeys().rsa())
    ours = File(encrypted_file("x.enc.sgn", b"plain", phone.certificate, signer, 1))
    theirs = File((VECTORS / f"{NAME}.enc.sgn").read_bytes())
    assert [tag for tag in ours.order if tag != 13] == [tag for tag in theirs.order if tag != 13]
    for tag in (1, 8, 10, 11, 18, 22, 23, 24, 26):
        assert ours.fields[tag] == theirs.fields[tag], tag
    for tag in (16, 17, 19, 20, 21, 25, 27):
        assert len(ours.fields[tag]) == len(theirs.fields[tag]), tag


def test_a_phone_gets_it_once_it_has_a_certificate(cluster):
    before = File(cluster.published(f"{NAME}.sgn")).body
    cluster.set_encrypted_configuration(MAC, True)
    assert cluster.published(f"{NAME}.enc.sgn") is None
    mic = cluster.make_mic(MAC)
    pointer = File(cluster.published(f"{NAME}.sgn")).body
    assert b"<encrConfig>true</encrConfig>" in pointer and b"<fullConfig>false</fullConfig>" in pointer
    assert f"<certHash>{hashlib.md5(mic.der).hexdigest()}</certHash>".encode() in pointer
    sealed = File(cluster.published(f"{NAME}.enc.sgn"))
    sealed.verify(cluster.certificate("tftp"))
    assert sealed.decrypt(mic.key) == before
    cluster.set_autoregistration(True)
    assert cluster.published(f"{NAME}.enc.sgn") == sealed.data, "made anew though nothing in it changed"
    lsc = make_identity("LSC", PooledKeys().rsa())
    cluster.capf_done(MAC, lsc.certificate)
    assert File(cluster.published(f"{NAME}.enc.sgn")).decrypt(lsc.key) == before
    cluster.capf_done(MAC, make_identity("EC LSC", PooledKeys().ec()).certificate)
    assert File(cluster.published(f"{NAME}.enc.sgn")).decrypt(mic.key) == before, "an EC key unwraps nothing"
    cluster.set_encrypted_configuration(MAC, False)
    assert cluster.published(f"{NAME}.enc.sgn") is None
    assert File(cluster.published(f"{NAME}.sgn")).body == before


def test_an_ec_certificate_is_refused_in_a_sentence():
    with pytest.raises(LabError, match="RSA keys only"):
        encrypted_file("x", b"", make_identity("ec", PooledKeys().ec()).certificate, Identity(None), 0)
