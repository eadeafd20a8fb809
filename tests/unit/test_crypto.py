# SPDX-License-Identifier: MIT
"""The crypto part of the HAL, whichever this Python has: digests, certificate fields, verification, mistakes."""

import binascii

from tests.helpers.agent.both import crypto, raises, vector

EMPTY = {
    "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha384": "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    "sha512": "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
}
ABC = {
    "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
}


def hex_text(data):
    return binascii.hexlify(data).decode()


def certificate(name):
    """DER of tests/vectors/NAME.cert.pem."""
    text = vector(name + ".cert.pem").decode()
    body = text.split("-----BEGIN CERTIFICATE-----")[1].split("-----END CERTIFICATE-----")[0]
    return binascii.a2b_base64("".join(body.split()).encode())


def to_be_signed(der):
    """The TBSCertificate: what the issuer has signed."""
    assert der[0] == 0x30 and der[1] == 0x82 and der[4] == 0x30 and der[5] == 0x82
    return der[4 : 8 + (der[6] << 8 | der[7])]


def test_digests_of_nothing_and_abc():
    for name in EMPTY:
        assert hex_text(crypto().digest(name, b"")) == EMPTY[name]
    for name in ABC:
        assert hex_text(crypto().digest(name, b"abc")) == ABC[name]
        assert hex_text(crypto().digest(name, memoryview(bytearray(b"xabcx"))[1:4])) == ABC[name]


def test_a_cut_is_left_out():
    for cut, data in (((0, 2), b"xxabc"), ((3, 1), b"abcx"), ((1, 4), b"axxxxbc"), ((3, 0), b"abc")):
        assert hex_text(crypto().digest("sha1", data, cut)) == ABC["sha1"], cut
    for cut in ((0, 4), (4, 1), (2, 2), (-1, 1), (1, -1)):
        raises(ValueError, crypto().digest, "sha1", b"abc", cut)


def test_a_digest_in_pieces_is_the_digest_of_the_whole():
    data = bytes(range(256)) * 20
    for name in EMPTY:
        stream = crypto().digest_stream(name)
        for start in range(0, len(data), 999):
            stream.update(memoryview(data)[start : start + 999])
        assert stream.digest() == crypto().digest(name, data)
        raises(ValueError, stream.digest)
        raises(ValueError, stream.update, b"more")
        stream.close()


def test_a_stream_that_is_given_up_is_closed_once():
    stream = crypto().digest_stream("sha256")
    stream.update(b"abc")
    stream.close()
    stream.close()
    raises(ValueError, stream.digest)


def test_unknown_algorithms_are_mistakes():
    raises(ValueError, crypto().digest, "md5", b"")
    raises(ValueError, crypto().digest_stream, "SHA1")
    raises(ValueError, crypto().verify, certificate("sast"), "md5", bytes(16), bytes(256))


def test_fields_of_an_rsa_certificate():
    found = crypto().certificate(certificate("sast"))
    assert hex_text(found.serial) == "618866fb0d47ff0e318793e454bacac7ad828fbd"
    assert (found.key_kind, found.key_bits) == ("rsa", 2048)
    assert (found.not_before, found.not_after) == ("20260101000000Z", "20451227000000Z")
    assert found.signature_algorithm == "1.2.840.113549.1.1.11"
    assert len(found.signature) == 256 and len(found.record_key) == 270
    assert found.record_key in found.public_key
    assert found.issuer == found.subject and found.subject[0] == 0x30


def test_fields_of_an_ec_certificate():
    found = crypto().certificate(certificate("cucmec"))
    assert (found.key_kind, found.key_bits) == ("ec", 384)
    assert len(found.record_key) == 97 and found.record_key[0] == 4
    assert found.signature_algorithm == "1.2.840.10045.4.3.3"


def test_a_serial_loses_its_leading_zero_byte():
    found = crypto().certificate(certificate("highserial"))
    assert hex_text(found.serial) == "80ff00000000000000000000000000000000ab"


def test_a_certificate_may_be_any_buffer():
    der = certificate("sast")
    whole = bytearray(b"before") + der
    assert crypto().certificate(memoryview(whole)[6:]).serial == crypto().certificate(der).serial


def test_what_is_not_one_whole_certificate_is_refused():
    der = certificate("sast")
    for wrong in (b"", b"\x30", b"garbage", der[:-1], der + b"\0", der[:100], bytes(len(der)), der[4:]):
        raises(ValueError, crypto().certificate, wrong)
        raises(ValueError, crypto().verify, wrong, "sha256", bytes(32), bytes(256))


def test_a_certificate_verifies_its_own_signature_and_no_other():
    for name, algorithm in (("sast", "sha256"), ("sast1k", "sha256"), ("sast2", "sha256"), ("cucmec", "sha384")):
        der = certificate(name)
        found = crypto().certificate(der)
        digest = crypto().digest(algorithm, to_be_signed(der))
        assert crypto().verify(der, algorithm, digest, found.signature), name
        other = bytearray(digest)
        other[0] ^= 1
        assert not crypto().verify(der, algorithm, other, found.signature), name
        bent = bytearray(found.signature)
        bent[-1] ^= 1
        assert not crypto().verify(der, algorithm, digest, bent), name
        assert not crypto().verify(certificate("other"), algorithm, digest, found.signature), name


def test_a_signature_of_the_wrong_length_does_not_verify():
    der = certificate("sast")
    signature = crypto().certificate(der).signature
    digest = crypto().digest("sha256", to_be_signed(der))
    for wrong in (b"", signature[:-1], signature + b"\0", b"\0" + signature):
        assert crypto().verify(der, "sha256", digest, wrong) is False
    assert crypto().verify(certificate("cucmec"), "sha256", digest, b"") is False


def test_a_digest_of_the_wrong_size_is_a_mistake():
    raises(ValueError, crypto().verify, certificate("sast"), "sha256", bytes(20), bytes(256))
    raises(ValueError, crypto().verify, certificate("sast"), "sha1", bytes(32), bytes(256))


def test_the_accelerator_reads_a_list_or_is_not_there():
    data = vector("itl-base.tlv")
    start = data[8] << 8 | data[9]
    answer = crypto().check_records(data, start, 512)
    if answer is None:
        assert crypto().name == "cryptography"
        return
    count, rows, tag, offset = answer
    assert count > 3 and (tag, offset) == (0, 0)
    assert rows[0] == start and rows[3] > start
    certificate_der = data[rows[3] : rows[3] + rows[4]]
    assert crypto().certificate(certificate_der).serial == data[rows[7] : rows[7] + rows[8]]
    assert crypto().check_records(data, start, count)[0] == count
    assert crypto().check_records(data, start, count - 1)[0] == -4
    count, rows, tag, offset = crypto().check_records(data[:-1], start, 512)
    assert count == -2 and tag == 1 and offset > start
