# SPDX-License-Identifier: MIT
from agent.servers.messages import MessageError, element
from agent.servers.tvs import message
from tests.helpers.agent.both import raises


def refused(data):
    """The text of the MessageError that decoding gives."""
    return raises(MessageError, message.decode, data).text


def answer(*elements, command=4, session=1001, reserved=0xF7, protocol=0x57, version=1):
    body = b"".join(element(tag, value) for tag, value in elements)
    head = bytes((protocol, version, command, reserved)) + session.to_bytes(4, "big")
    return head + len(body).to_bytes(2, "big") + body


def test_request_of_the_published_trace():
    # Public are the lengths and the beginnings; the rest of the names is made up.
    subject = "CN=ucm11pub.example.org;OU=Laboratory;O=Example;L=Town;ST=NW;C=DE"
    issuer = "CN=Example Root;C=DE1"
    serial = bytes(range(1, 20))
    assert (len(subject), len(issuer), len(serial)) == (65, 21, 19)
    request = message.encode_query(0x3E9, "CP-8861-SEPB000B4BA0AEE", subject, issuer, serial)
    assert len(request) == 153
    assert request[:10] == bytes((0x57, 1, 3, 0, 0, 0, 3, 0xE9, 0, 0x8F))
    assert request[10:37] == b"\x01\x00\x18\x01CP-8861-SEPB000B4BA0AEE"
    assert request[37:40] == b"\x03\x00\x42" and request[40:105] == subject.encode() and request[105] == 0
    assert request[106:109] == b"\x04\x00\x16" and request[109:130] == issuer.encode() and request[130] == 0
    assert request[131:] == b"\x05\x00\x13" + serial


def test_answer_of_the_published_trace():
    certificate = b"\x30\x82" + b"c" * 1449
    data = answer((7, b"\0"), (2, certificate), (8, b"\0\3"), (9, b"\0\x01\x51\x80"))
    assert data[:10] == b"\x57\x01\x04\xf7\x00\x00\x03\xe9\x05\xbe"
    decoded = message.decode(data)
    assert decoded.command == message.QUERY_CERT_RES
    assert decoded.session == 0x3E9
    assert decoded.status == 0
    assert decoded.certificate == certificate
    assert decoded.roles == (0, 3)
    assert decoded.ttl == 86400
    assert decoded.issuer is None and decoded.serial is None and decoded.device_name is None


def test_a_query_is_decoded_again():
    data = message.encode_query(7, "CP-1-SEP0", "", "CN=\u00fc", b"\x00\xff")
    decoded = message.decode(memoryview(data))
    assert (decoded.device_name, decoded.subject, decoded.issuer) == ("CP-1-SEP0", "", "CN=\u00fc")
    assert decoded.serial == b"\x00\xff" and decoded.session == 7 and decoded.command == 3
    assert decoded.status is None and decoded.roles is None and decoded.ttl is None


def test_a_verification_is_decoded_again():
    decoded = message.decode(message.encode_verification(0xFFFFFFFF, "CP-1-SEP0", b"der"))
    assert decoded.certificate == b"der" and decoded.session == 0xFFFFFFFF and decoded.command == 1


def test_what_cannot_be_asked_is_a_value_error():
    query, verification = message.encode_query, message.encode_verification
    for words, call, *arguments in (
        ("serial number is empty", query, 1, "d", "s", "i", b""),
        ("subject name holds a NUL", query, 1, "d", "s\0", "i", b"1"),
        ("issuer name holds a NUL", query, 1, "d", "s", "\0i", b"1"),
        ("device name holds a NUL", query, 1, "d\0", "s", "i", b"1"),
        ("element 3 is too long", query, 1, "d", "s" * 65535, "i", b"1"),
        ("is too long, 65535", query, 1, "d", "s" * 65000, "i" * 600, b"1"),
        ("certificate is empty", verification, 1, "d", b""),
    ):
        assert words in str(raises(ValueError, call, *arguments))


def test_unknown_elements_are_skipped_wherever_they_stand():
    decoded = message.decode(answer((99, b"?"), (7, b"\1"), (99, b""), (6, b"x" * 300), (10, b"\0")))
    assert decoded.status == 1


def test_headers_that_are_refused():
    whole = answer((7, b"\0"))
    for length in range(10):
        assert "a TVS header has 10" in refused(whole[:length])
    for length in range(10, len(whole)):
        assert "length field 4" in refused(whole[:length])
    assert "length field 4, but 5 bytes follow" in refused(whole + b"\0")
    assert "protocol byte 0x55" in refused(answer((7, b"\0"), protocol=0x55))
    assert "TVS version 2" in refused(answer((7, b"\0"), version=2))


def test_elements_that_are_refused():
    def raw(body):
        return answer()[:8] + len(body).to_bytes(2, "big") + body

    assert refused(raw(b"\x07\x00")) == "element at offset 10: its tag and length are cut off"
    assert refused(raw(b"\x07\x00\x02\x00")) == "element 7 at offset 10: 2 bytes announced, 1 left"
    assert refused(raw(b"\x63\xff\xff")) == "element 99 at offset 10: 65535 bytes announced, 0 left"
    assert refused(raw(b"\x07\x00\x01\x00\x07\x00\x01\x00")) == "element 7 at offset 14: appears twice"


def test_values_that_are_refused():
    assert refused(answer((7, b""))) == "STATUS has 0 bytes, 1 expected"
    assert refused(answer((7, b"\0\0"))) == "STATUS has 2 bytes, 1 expected"
    assert refused(answer((9, b"\0\0\0"))) == "TTL has 3 bytes, 4 expected"
    assert refused(answer((2, b""))) == "CERTIFICATE is empty"
    assert "SUBJECTNAME is not a text" in refused(answer((3, b"")))
    assert "SUBJECTNAME is not a text" in refused(answer((3, b"CN=a")))
    assert "ISSUERNAME is not a text" in refused(answer((4, b"CN\0=a\0")))
    assert "ISSUERNAME is not UTF-8" in refused(answer((4, b"\xff\xfe\0")))
    assert "DEVICENAME is not 0x01" in refused(answer((1, b"")))
    assert "DEVICENAME is not 0x01" in refused(answer((1, b"\2abc")))
    assert "DEVICENAME is not 0x01" in refused(answer((1, b"\1abc\0")))
    assert "DEVICENAME is not UTF-8" in refused(answer((1, b"\1\xff")))


def test_serial_number_0_may_have_no_bytes():
    for raw, serial in ((b"", b"\0"), (b"\0", b"\0"), (b"\x05", b"\x05")):
        assert message.decode(answer((5, raw))).serial == serial, raw


def test_what_a_phone_does_not_read_of_an_answer_may_be_anything():
    odd = ((1, b"no 01"), (3, b"no NUL"), (4, b"\xff"), (5, b""), (3, b""), (6, b""))
    received = message.decode(answer((7, b"\0"), *odd, (8, b"\3")), message.ANSWERING)
    assert received.status == 0 and received.roles == (3,)
    assert received.device_name is received.subject is received.issuer is received.serial is None


def test_no_roles_and_many():
    assert message.decode(answer((8, b""))).roles == ()
    assert message.decode(answer((8, bytes(range(256))))).roles == tuple(range(256))
    assert message.decode(answer((8, bytes((3, 0, 3)) + bytes(5000)))).roles == (3, 0)
