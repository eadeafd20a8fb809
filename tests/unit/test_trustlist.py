# SPDX-License-Identifier: MIT
import binascii

from agent.errors import Malformed, RecordMismatch, Refused
from agent.formats import names, points, trustlist
from agent.formats.trustlist import ROW, TrustList
from tests.helpers.agent import building
from tests.helpers.agent.both import raises, vector
from tests.helpers.agent.building import der, library, record, tlv, trust_list

SAST, CUCM, TVS = "sast.cert.pem", "cucm.cert.pem", "tvs.cert.pem"


class PlainCrypto:
    """The crypto of this Python without its accelerator: Python's own walk is used."""

    def __init__(self):
        self.certificate = library().certificate

    def check_records(self, data, start, limit):
        return None


def read(data, limit=65536):
    return TrustList(data, library(), limit)


def refused(records, **changes):
    """The error of a list of these records; it must be the same with and without the accelerator."""
    data = trust_list(records, SAST, **changes)
    error = raises(Refused, TrustList, data, library())
    plain = raises(Refused, TrustList, data, PlainCrypto())
    assert (error.reason, error.tag, error.offset, error.what) == (plain.reason, plain.tag, plain.offset, plain.what)
    assert error.offset is None or data[error.offset] == error.tag
    return error


def accepted(records, **changes):
    data = trust_list(records, SAST, **changes)
    found, plain = read(data), TrustList(data, PlainCrypto())
    assert rows_of(found) == rows_of(plain), "with and without the accelerator"
    return found


def rows_of(found):
    """The rows, with bytes in the place of their offsets and lengths, and without the flags, which only the accelerator sets."""
    rows = []
    for at in range(0, found.count * ROW, ROW):
        row = list(found.rows[at : at + ROW])
        parts = [bytes(found.data[row[column] : row[column] + row[column + 1]]) for column in (3, 5, 7, 9, 14)]
        rows.append(row[:5] + row[11:13] + parts)
    return rows


def test_records_of_a_real_list():
    found = read(vector("itl-base.tlv"))
    assert found.count == 5
    roles = [each.role for each in found.records()]
    assert roles == [names.SAST, names.SAST, names.CCM_TFTP, names.TVS, names.CAPF]
    first = list(found.records())[0]
    assert first.certificate == der(SAST) and (first.key_kind, first.key_bits) == ("rsa", 2048)
    fields = building.fields(SAST)
    assert (first.issuer, first.subject, first.serial) == (fields.issuer, fields.subject, fields.serial)
    assert found.data == vector("itl-base.tlv") and not found.empty


def test_with_and_without_accelerator_the_same():
    for name in (
        "itl-base.tlv",
        "itl-sha512.tlv",
        "itl-dn.tlv",
        "itl-highserial.tlv",
        "ctl-mixed.tlv",
        "itl-rollback.tlv",
    ):
        data = vector(name)
        pairs = zip(TrustList(data, library()).records(), TrustList(data, PlainCrypto()).records())
        count = 0
        for one, other in pairs:
            count += 1
            for field in (
                "role",
                "certificate",
                "issuer",
                "subject",
                "serial",
                "key_kind",
                "key_bits",
                "offset",
                "length",
            ):
                assert getattr(one, field) == getattr(other, field), (name, field)
        assert count == TrustList(data, library()).count


def test_keys_of_other_kinds():
    found = [each for each in read(vector("itl-sha512.tlv")).records() if each.key_kind == "ec"]
    assert [each.key_bits for each in found] == [384]


def test_empty_lists():
    """An empty list says so, by blank records; one that only names no such server is not empty."""
    roles = (names.TFTP, names.CCM_TFTP, names.TVS)
    assert not read(vector("itl-rollback.tlv")).empty
    assert not accepted([]).empty and accepted([]).count == 0
    assert not accepted([record(names.SAST, SAST), record(names.CAPF, "capf.cert.pem"), record(1, CUCM)]).empty
    for role in roles:
        assert accepted([record(names.SAST, SAST), record(role)]).empty, role
        assert accepted([record(role, rest=tlv(9, b""))]).empty, role
        assert not accepted([record(names.SAST, SAST), record(role, CUCM)]).empty, role
        for other in roles:
            assert not accepted([record(role), record(other, CUCM)]).empty, (role, other)
            assert not accepted([record(other, CUCM), record(role)]).empty, (role, other)
    for role in (names.SAST, names.CCM, names.CAPF, names.APP_SERVER, 99, None):
        assert not accepted([record(names.SAST, SAST), record(role)]).empty, role


def test_a_record_without_certificate():
    empty = list(accepted([record(names.TFTP), record(names.SAST, SAST)]).records())[0]
    assert empty.certificate is None and empty.issuer is None and empty.subject is None and empty.serial is None
    assert empty.role == names.TFTP and empty.key_kind == "other" and empty.key_bits == 0
    no_bytes = list(accepted([record(names.TFTP, rest=tlv(9, b""))]).records())[0]
    assert no_bytes.certificate is None


def test_a_record_without_role():
    found = accepted([record(None, SAST)])
    assert list(found.records())[0].role is None
    assert not found.has_roles((names.SAST,))


def test_unknown_roles_are_kept():
    found = accepted([record(99, SAST), record(names.SAST, SAST)])
    assert [each.role for each in found.records()] == [99, 0]
    assert [each.role for each in found.with_roles((99,))] == [99]


def test_unknown_tags_in_records_are_passed_over():
    found = accepted([record(names.SAST, SAST, rest=tlv(40, b"new") + tlv(40, b"") + tlv(0, b"x"))])
    assert list(found.records())[0].certificate == der(SAST)


def test_where_a_server_is():
    def host(**changes):
        return list(accepted([record(names.TVS, TVS, **changes)]).records())[0].host()

    assert host() is None
    assert host(dns=b"") is None and host(dns=b"\0") is None
    assert host(dns=b"pub.lab.example\0") == "pub.lab.example"
    assert host(dns=b"pub.lab.example\0", address=b"\xc0\0\2\x0a") == "192.0.2.10"
    assert host(address=b"\xc0\0\2\x0a") == "192.0.2.10"
    assert host(dns=b"pub.lab.example\0", address=b"\x20\x01\x0d\xb8" + bytes(11) + b"\x0a") == "2001:db8::a"


def test_addresses_as_text():
    for groups, wanted in (
        ((0, 0, 0, 0, 0, 0, 0, 0), "::"),
        ((0, 0, 0, 0, 0, 0, 0, 1), "::1"),
        ((0xFE80, 0, 0, 0, 0, 0, 0, 0), "fe80::"),
        ((0x2001, 0xDB8, 0, 1, 1, 1, 1, 1), "2001:db8:0:1:1:1:1:1"),
        ((0x2001, 0xDB8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1"),
        ((0x2001, 0, 0, 1, 0, 0, 0, 1), "2001:0:0:1::1"),
        ((1, 2, 3, 4, 5, 6, 7, 0xABCD), "1:2:3:4:5:6:7:abcd"),
    ):
        address = b"".join([group.to_bytes(2, "big") for group in groups])
        assert trustlist.address_text(address) == wanted, wanted
    assert trustlist.address_text(b"\xc0\0\2\xff") == "192.0.2.255"


def test_serial_number_zero_may_have_no_bytes():
    zero = building.remade(der(CUCM), serial=b"\0")
    assert building.fields(zero).serial == b"\0"
    for copy in (b"", b"\0", b"\0\0"):
        found = accepted([record(0, zero, serial=copy)])
        assert found.signers(names.to_text(building.fields(zero).issuer), names.serial_bytes(copy), (0,)), copy
    assert refused([record(0, zero, serial=b"\1")]).tag == 6


def test_compressed_points_are_the_same_key():
    certificate = der("cucmec.cert.pem")
    point = building.fields(certificate).record_key
    size = len(point) // 2
    short = bytes([2 + (point[-1] & 1)]) + point[1 : 1 + size]
    compressed = building.remade(certificate, point=short)
    assert building.fields(compressed).record_key == short
    accepted([record(names.TFTP, compressed, key=point)])
    accepted([record(names.TFTP, compressed, key=short)])
    accepted([record(names.TFTP, certificate, key=short)])
    other_y = point[:-1] + bytes([point[-1] ^ 2])  # the same x, the right parity, no point of the curve
    other_sign = bytes([short[0] ^ 1]) + short[1:]
    for key in (other_y, point[:-1] + bytes([point[-1] ^ 1]), other_sign, point[:-1], b"\6" + point[1:], b""):
        error = refused([record(names.TFTP, compressed, key=key)])
        assert (error.reason, error.tag) == ("record-mismatch", 7), key


def test_points_of_every_curve():
    """The generators (FIPS 186-4, D.1.2), whole and compressed."""
    for x, y in (
        (
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ),
        (
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        ),
        (
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a"
            "429bf97e7e31c2e5bd66",
            "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272"
            "c24088be94769fd16650",
        ),
    ):
        x, y = binascii.unhexlify(x), binascii.unhexlify(y)
        whole = b"\4" + x + y
        short = bytes([2 + (y[-1] & 1)]) + x
        assert points.same_point(whole, short) and points.same_point(short, whole) and points.same_point(whole, whole)
        assert not points.same_point(bytes([short[0] ^ 1]) + x, whole)
        assert not points.same_point(short, whole[:-1]) and not points.same_point(short[:-1], whole)
    assert not points.same_point(b"", b"\4") and not points.same_point(b"\2", b"\4")


def test_copies_may_be_missing():
    found = accepted([record(0, SAST, subject=None, issuer=None, serial=None, key=None, signature=None)])
    assert list(found.records())[0].serial == building.fields(SAST).serial


def test_copies_that_differ():
    for changes, tag in (
        ({"serial": b"\5"}, 6),
        ({"serial": b""}, 6),
        ({"key": b"key"}, 7),
        ({"key": b""}, 7),
        ({"subject": b"CN=somebody\0"}, 3),
        ({"issuer": b"CN=somebody\0"}, 5),
        ({"subject": b"\0"}, 3),
    ):
        error = refused([record(0, TVS), record(0, SAST, **changes)])
        assert (error.reason, error.tag) == ("record-mismatch", tag), changes
        assert isinstance(error, RecordMismatch) and "differs from the certificate's" in error.what


def test_names_written_in_other_ways():
    for text in (
        "ou=Voice;o=Lab;cn=ITLRECOVERY_lab",
        "O=Lab, OU=Voice , CN=ITLRECOVERY_lab",
        'CN="ITLRECOVERY_lab",OU=Voice+O=Lab',
        "CN=ITLRECOVERY\\5flab,OU=\\56oice,O=Lab",
    ):
        accepted([record(0, SAST, subject=text.encode() + b"\0", issuer=text.encode() + b"\0")])


def test_names_that_are_not_understood_are_not_compared():
    for text in ("CN=ITLRECOVERY_lab,XYZ=1", "CN=#0c0161", "something else", "CN=a\\z"):
        accepted([record(0, SAST, subject=text.encode() + b"\0", issuer=text.encode() + b"\0")])


def test_a_certificate_whose_name_is_not_understood():
    strange = der(SAST).replace(b"\x06\x03\x55\x04\x0b", b"\x06\x03\x55\x04\x63")  # OU becomes 2.5.4.99
    assert strange != der(SAST)
    plain = b"CN=ITLRECOVERY_lab\0"
    accepted([record(0, strange, subject=plain, issuer=plain)])


def test_serial_with_its_leading_zero():
    found = accepted([record(0, "highserial.cert.pem", serial=b"\0" + building.fields("highserial.cert.pem").serial)])
    assert list(found.records())[0].serial[0] == 0x80


def test_values_of_the_wrong_size():
    for changes, tag in (
        ({"rest": tlv(4, b"\0")}, 4),
        ({"rest": tlv(4, b"\0\0\0")}, 4),
        ({"dns": b"pub"}, 2),
        ({"dns": b"a\0b\0"}, 2),
        ({"subject": b""}, 3),
        ({"subject": b"CN=a"}, 3),
        ({"issuer": b"CN=\xc0\x80\0"}, 5),
        ({"issuer": b"CN=\xed\xa0\x80\0"}, 5),
        ({"address": b"\1\2\3"}, 10),
        ({"address": bytes(15)}, 10),
        ({"address": bytes(17)}, 10),
        ({"address": b""}, 10),
    ):
        error = refused([record(None, SAST, **changes)])
        assert (error.reason, error.tag) == ("malformed", tag), changes


def test_certificates_that_cannot_be_read():
    good = der(SAST)
    for bad in (good[:-1], good + b"\0", b"\x30\x00", b"x", good[:100]):
        error = refused([record(0, SAST), record(0, rest=tlv(9, bad))])
        assert (error.reason, error.tag) == ("malformed", 9), bad[:8]


def test_versions_of_certificates():
    for version in (b"\1", b"\2"):  # X.509 version 2 and 3
        accepted([record(0, building.remade(der(SAST), version=version))])
    for version in (b"\0", b"\3", b"\x82", b"\1\2"):  # DER does not write version 1
        error = refused([record(0, SAST), record(0, rest=tlv(9, building.remade(der(SAST), version=version)))])
        assert (error.reason, error.tag) == ("malformed", 9), version


def test_malformed_goes_before_mismatch():
    error = refused([record(0, SAST, serial=b"\5"), record(0, TVS, dns=b"x")])
    assert (error.reason, error.tag) == ("malformed", 2)
    error = refused([record(0, SAST, serial=b"\5", dns=b"x")])
    assert (error.reason, error.tag) == ("malformed", 2)
    error = refused([record(0, SAST, subject=b"CN=x\0"), record(0, SAST, serial=b"\5")])
    assert (error.reason, error.tag) == ("record-mismatch", 6)


def test_the_records_fill_the_file():
    for rest in (b"\0", b"\x0d", b"\x01", b"\x01\x00\x02\x00\x04"):
        error = refused([record(0, SAST), rest])
        assert error.reason == "malformed"


def test_header_goes_before_records():
    error = refused([record(0, SAST, serial=b"\5")], signature=None)
    assert (error.reason, error.tag) == ("malformed", 12)


def test_size_limit():
    data = vector("itl-base.tlv")
    assert read(data, len(data)).count == 5
    error = raises(Refused, read, data, len(data) - 1)
    assert error.reason == "too-large" and str(len(data)) in error.text
    over = vector("itl-over64k.tlv")
    assert raises(Refused, read, over).reason == "too-large"
    assert read(over, len(over)).count == 63


def test_too_many_records():
    few = [record(0, SAST)] + [record(names.TFTP)] * 127
    assert (
        accepted(few).count == 128 and trustlist.record_limit(65536) == 128 and trustlist.record_limit(1 << 20) == 2048
    )
    data = trust_list(few + [record(names.TFTP)], SAST)
    for crypto in (library(), PlainCrypto()):
        assert raises(Refused, TrustList, data, crypto).reason == "too-large"


def test_signers_by_issuer_and_serial():
    found = accepted([record(names.SAST, SAST), record(names.SAST, CUCM), record(names.TFTP, CUCM)])
    fields = building.fields(CUCM)
    issuer = names.to_text(fields.issuer)
    assert [(each.role, sure) for each, sure in found.signers(issuer, fields.serial, (0, 3))] == [(3, True), (0, True)]
    assert [each.role for each, _ in found.signers(issuer, fields.serial, (0,))] == [0]
    assert found.signers(issuer, fields.serial, (2,)) == []
    assert found.signers(issuer, b"\5", (0,)) == []
    assert found.signers("CN=somebody", fields.serial, (0,)) == []
    assert [sure for _, sure in found.signers("XYZ=1", fields.serial, (0,))] == [False]


def test_sure_signers_come_first():
    strange = der(CUCM).replace(b"\x06\x03\x55\x04\x0b", b"\x06\x03\x55\x04\x63")
    plain = b"XYZ=1\0"
    found = accepted([record(names.SAST, strange, subject=plain, issuer=plain), record(names.SAST, CUCM)])
    fields = building.fields(CUCM)
    signers = found.signers(names.to_text(fields.issuer), fields.serial, (0,))
    assert [sure for _, sure in signers] == [True, False]
    assert signers[0][0].certificate == der(CUCM)


def test_holds_is_byte_for_byte():
    found = read(vector("itl-base.tlv"))
    certificate = der(TVS)
    assert found.holds(certificate, (names.TVS,))
    assert not found.holds(certificate, (names.SAST,))
    assert not found.holds(certificate[:-1] + b"\0", (names.TVS,))
    assert not found.holds(der("tvs2.cert.pem"), (names.TVS,))


def test_a_memoryview_is_read_as_bytes_are():
    data = vector("itl-base.tlv")
    assert [each.role for each in read(memoryview(bytearray(data))).records()] == [0, 0, 2, 21, 4]


def test_field_gives_the_records_own_values():
    first = list(read(vector("itl-base.tlv")).records())[0]
    assert first.field(9) == der(SAST) and first.field(4) == b"\0\0" and first.field(11) is None


def test_malformed_is_a_refusal():
    assert issubclass(Malformed, Refused) and issubclass(RecordMismatch, Malformed)
