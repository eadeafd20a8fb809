# SPDX-License-Identifier: MIT
from agent.errors import Malformed, Unsupported
from agent.formats.header import HEADER_LIMIT, Header
from tests.helpers.agent import building
from tests.helpers.agent.both import raises, vector
from tests.helpers.agent.building import header, text, tlv


def fault(data):
    error = raises(Malformed, Header, data)
    assert error.reason == "malformed"
    return error


def test_header_of_a_trust_list():
    found = Header(vector("itl-base.tlv"))
    assert found.length == 416
    assert found.version == (1, 2) and found.signer_version == (1, 0)
    assert found.subject == found.issuer and "ITLRECOVERY_lab" in found.subject
    assert found.serial.hex() == "618866fb0d47ff0e318793e454bacac7ad828fbd"
    assert found.digest_algorithm == "sha1" and len(found.signature) == 256
    assert found.filename == "ITLFile.tlv"
    assert found.timestamp == 1795415578
    assert found.encryption is None


def test_the_signature_tlv_is_what_is_cut_out():
    data = vector("itl-base.tlv")
    offset, length = Header(data).signature_cut
    assert length == 3 + 256 and data[offset : offset + 3] == b"\x0c\x01\x00"
    assert data[offset + 3 : offset + length] == Header(data).signature


def test_header_of_a_signed_file_has_no_signer_version():
    found = Header(vector("cfg-sha512.cnf.xml.sgn"))
    assert found.version == (1, 0) and found.signer_version is None
    assert found.digest_algorithm == "sha512"
    assert found.filename == "SEP00270DC01C92.cnf.xml.sgn"


def test_header_of_a_firmware_load():
    assert Header(vector("load.bin.sgn")).filename == "load.bin.sgn"


def test_header_of_an_encrypted_file():
    found = Header(vector("SEP00270DC01C92.cnf.xml.enc.sgn"))
    assert found.version == (2, 0)
    hidden = found.encryption
    assert (len(hidden.iv), hidden.padding, len(hidden.key)) == (16, 11, 256)
    assert (hidden.digest_algorithm, len(hidden.digest)) == ("sha512", 64)


def test_a_header_keeps_no_buffer():
    data = bytearray(vector("itl-base.tlv"))
    found = Header(memoryview(data)[:416])
    before = (found.subject, found.serial, found.signature, found.timestamp)
    for at in range(len(data)):
        data[at] = 0
    assert (found.subject, found.serial, found.signature, found.timestamp) == before


def test_serial_numbers_are_read_without_leading_zeros():
    assert Header(vector("itl-highserial.tlv")).serial[0] == 0x80
    assert Header(header(signer=building.signer(serial=b"\x00\x80\x01"))).serial == b"\x80\x01"
    assert Header(header(signer=building.signer(serial=b"\x00\x00"))).serial == b"\x00"
    assert Header(header(signer=building.signer(serial=b""))).serial == b"\x00", "0 may be written as no bytes"


def test_digests():
    names = [Header(header(signature_info=building.signature_info(digest=n))).digest_algorithm for n in (1, 2, 3)]
    assert names == ["sha1", "sha256", "sha512"]
    for number in (0, 4, 255):
        error = fault(header(signature_info=building.signature_info(digest=number)))
        assert error.tag == 8 and "unknown digest %d" % number in error.what


def test_signature_algorithm_and_modulus():
    for number, size in ((0, 64), (1, 128), (2, 256), (3, 512)):
        data = header(signature_info=building.signature_info(modulus=number), signature=tlv(12, bytes(size)))
        assert len(Header(data).signature) == size
        for wrong in (0, size - 1, size + 1):
            error = fault(
                header(signature_info=building.signature_info(modulus=number), signature=tlv(12, bytes(wrong)))
            )
            assert error.tag == 12, (number, wrong)
    assert fault(header(signature_info=building.signature_info(modulus=4))).tag == 11
    for number in (1, 2, 255):
        error = raises(Unsupported, Header, header(signature_info=building.signature_info(algorithm=number)))
        assert (error.reason, error.tag) == (
            "unsupported",
            10,
        ) and "unknown signature algorithm %d" % number in error.what


def test_what_must_be_there():
    for name, tag in (("signer", 3), ("signature_info", 7), ("signature", 12), ("filename", 14)):
        error = fault(header(**{name: None}))
        assert error.tag == tag and "the header has no" in error.what, name
    Header(header(signer_version=None))
    assert Header(header(timestamp=None)).timestamp is None
    for missing, inside in (
        (4, text(6, "a") + tlv(5, b"\1")),
        (5, text(4, "a") + text(6, "a")),
        (6, text(4, "a") + tlv(5, b"\1")),
    ):
        assert fault(header(signer=tlv(3, inside))).tag == missing
    assert fault(header(signature_info=tlv(7, tlv(8, b"\1")))).tag == 9
    assert fault(header(signature_info=tlv(7, tlv(8, b"\1") + tlv(9, tlv(10, b"\0"))))).tag == 11
    assert fault(header(signature_info=tlv(7, tlv(9, tlv(10, b"\0") + tlv(11, b"\2"))))).tag == 8


def test_sizes_of_values():
    assert fault(building.header_of([], version=b"\1")).tag == 1
    for name, tag in (("signer_version", 28), ("timestamp", 15)):
        for size in (0, 1, 3, 5):
            error = fault(header(**{name: tlv(tag, bytes(size))}))
            assert error.tag == tag and "must be" in error.what and "not %d" % size in error.what
    for inside, tag in (
        (tlv(8, b"") + tlv(9, tlv(10, b"\0") + tlv(11, b"\2")), 8),
        (tlv(8, b"\1\1") + tlv(9, tlv(10, b"\0") + tlv(11, b"\2")), 8),
        (tlv(8, b"\1") + tlv(9, tlv(10, b"\0\0") + tlv(11, b"\2")), 10),
        (tlv(8, b"\1") + tlv(9, tlv(10, b"\0") + tlv(11, b"")), 11),
    ):
        assert fault(header(signature_info=tlv(7, inside))).tag == tag


def test_texts():
    assert Header(header(filename=text(14, "New_Zealand/g3-tones.xml.sgn"))).filename == "New_Zealand/g3-tones.xml.sgn"
    assert Header(header(filename=text(14, "Zoë"))).filename == "Zoë"
    for raw in (
        b"",
        b"ITLFile.tlv",
        b"ITL\0File.tlv\0",
        b"ITLFile.tlv\0\0",
        b"\xc0\x80\0",
        b"\xed\xa0\x80\0",
        b"\xff\0",
    ):
        error = fault(header(filename=tlv(14, raw)))
        assert error.tag == 14 and error.offset is not None, raw
    assert fault(header(signer=tlv(3, tlv(4, b"a") + text(6, "a") + tlv(5, b"\1")))).tag == 4
    assert fault(header(signer=tlv(3, text(4, "a") + tlv(6, b"\xc3\0") + tlv(5, b"\1")))).tag == 6


def test_offsets_of_faults_are_those_of_the_tlv():
    data = header(timestamp=tlv(15, b"123"))
    error = fault(data)
    assert data[error.offset] == 15 and data[error.offset + 1 : error.offset + 3] == b"\0\3"


def test_unknown_tags_are_passed_over():
    found = Header(header(rest=tlv(77, b"news") + tlv(77, b"") + tlv(200, bytes(300))))
    assert found.filename == "ITLFile.tlv"
    found = Header(header(signer=tlv(3, tlv(88, b"?") + text(4, "a") + text(6, "b") + tlv(5, b"\1"))))
    assert (found.subject, found.issuer) == ("a", "b")


def encryption(**changes):
    parts = {
        "iv": tlv(19, bytes(16)),
        "padding": tlv(20, b"\0\5"),
        "size": tlv(23, b"\4\0"),
        "algorithm": tlv(24, b"\0"),
        "key": tlv(25, bytes(128)),
        "digest_algorithm": tlv(26, b"\3"),
        "digest": tlv(27, bytes(64)),
    }
    for name in changes:
        parts[name] = changes[name]
    part = {name: parts[name] or b"" for name in parts}
    inner = tlv(17, tlv(18, b"??") + part["iv"] + part["padding"])
    inner += tlv(21, tlv(22, b"") + part["size"] + part["algorithm"] + part["key"])
    return header(rest=tlv(16, inner) + part["digest_algorithm"] + part["digest"])


def test_encryption_fields():
    found = Header(encryption()).encryption
    assert (found.padding, len(found.key), found.digest_algorithm) == (5, 128, "sha512")
    assert Header(encryption(algorithm=None)).encryption.padding == 5
    for name, tag in (("iv", 19), ("padding", 20), ("size", 23), ("key", 25), ("digest_algorithm", 26), ("digest", 27)):
        error = fault(encryption(**{name: None}))
        assert error.tag == tag and "encrypted file has no" in error.what, name


def test_an_encrypted_file_without_a_key_or_with_another_iv():
    assert fault(encryption(key=tlv(25, b""), size=tlv(23, b"\0\0"))).tag == 25
    iv = bytes(range(1, 17))
    assert Header(encryption(iv=tlv(19, iv))).encryption.iv == iv


def test_the_longest_header():
    room = HEADER_LIMIT - Header(header(rest=tlv(77, b""))).length
    assert Header(header(rest=tlv(77, bytes(room)))).length == HEADER_LIMIT
    error = fault(header(rest=tlv(77, bytes(room + 1))))
    assert (error.tag, error.offset) == (2, 5) and "the limit is %d" % HEADER_LIMIT in error.what


def test_encryption_sizes():
    for name, tag, value in (
        ("iv", 19, bytes(15)),
        ("iv", 19, bytes(17)),
        ("padding", 20, b"\5"),
        ("size", 23, b"\0\4\0"),
        ("key", 25, bytes(127)),
        ("key", 25, b""),
        ("algorithm", 24, b"\0\0"),
        ("digest_algorithm", 26, b"\7"),
        ("digest", 27, bytes(63)),
        ("digest", 27, b""),
    ):
        assert fault(encryption(**{name: tlv(tag, value)})).tag == tag, (name, value)
