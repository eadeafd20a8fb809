# SPDX-License-Identifier: MIT
from agent.servers.capf import message
from agent.servers.messages import MessageError
from tests.helpers.agent.both import raises


def refused(elements, command=message.AUTH_REQ):
    return raises(MessageError, message.decode, message.encode(command, 7, elements)).text


def test_what_the_server_says_first():
    data = b"\x55\x01\x00\x00\x00\x07\x00\x08\x07\x00\x01\x03\x08\x00\x01\x01"
    assert message.encode(message.AUTH_REQ, 7, ((7, b"\3"), (8, b"\1"))) == data
    decoded = message.decode(data)
    assert (decoded.command, decoded.session) == (message.AUTH_REQ, 7)
    assert (decoded.version, decoded.auth_type) == (3, message.AUTH_STRING)
    assert decoded.reason is None and decoded.certificate is None and decoded.password is None


def test_what_a_phone_answers():
    data = message.encode(
        message.AUTH_RES,
        0x01020304,
        (
            (message.REASON, b"\1"),
            (message.VERSION_ELEMENT, b"\3"),
            (message.DEVICENAME, message.text("SEP00270DC01C92", "name")),
            (message.PASSWORD, message.text("", "string")),
        ),
    )
    assert data == (
        b"\x55\x02\x01\x02\x03\x04\x00\x1f\x01\x00\x01\x01\x07\x00\x01\x03\x0d\x00\x10SEP00270DC01C92\0\x0b\x00\x01\0"
    )
    decoded = message.decode(data)
    assert decoded.device_name == "SEP00270DC01C92" and decoded.password == "" and decoded.reason == 1


def test_certificates_have_a_head_of_five_bytes():
    value = message.certificate_value(message.LSC, b"DER" * 100)
    assert value[:5] == b"\x01\x01\x2e\x00\x01" and value[5:] == b"DER" * 100
    decoded = message.decode(
        message.encode(message.STORE_REQ, 1, ((message.CERTIFICATETYPE, b"\1"), (message.CERTIFICATE, value)))
    )
    assert decoded.certificate == b"DER" * 100 and decoded.certificate_type == message.LSC


def test_certificates_that_are_refused():
    whole = message.certificate_value(message.MIC, b"DER")
    for value in (b"", whole[:5], b"\2" + whole[1:], whole[:3] + b"\1" + whole[4:]):
        assert "does not start with 01, a length, 00 and a type" in refused(((4, value),))
    assert refused(((4, whole + b"x"),)) == "CERTIFICATE announces 5 bytes, 6 follow"
    assert refused(((4, whole[:-1]),)) == "CERTIFICATE announces 5 bytes, 4 follow"
    assert refused(((3, b"\1"), (4, whole))) == "CERTIFICATETYPE 1, but the certificate says 2"


def test_key_requests():
    decoded = message.decode(message.encode(message.KEYGEN_REQ, 1, ((17, b"\0"), (10, b"\x08\x00"))))
    assert (decoded.key_type, decoded.key_size, decoded.curve) == (message.RSA, 2048, None)
    decoded = message.decode(message.encode(message.KEYGEN_REQ, 1, ((17, b"\1"), (18, b"\2"))))
    assert (decoded.key_type, decoded.key_size, decoded.curve) == (message.EC, None, 2)


def test_values_that_are_refused():
    assert refused(((1, b""),)) == "REASON has 0 bytes, 1 expected"
    assert refused(((10, b"\x08"),)) == "KEYSIZE has 1 bytes, 2 expected"
    assert refused(((12, b""),)) == "RETRYDELAY has 0 bytes, 1 to 4 expected"
    assert refused(((12, b"12345"),)) == "RETRYDELAY has 5 bytes, 1 to 4 expected"
    assert "DEVICENAME is not a text" in refused(((13, b"SEP"),))
    assert "PASSWORD is not a text" in refused(((11, b"1\0002\0"),))
    assert refused(((1, b"\0"), (1, b"\0"))) == "element 1 at offset 12: appears twice"


def test_headers_that_are_refused():
    whole = message.encode(message.END, 7, ((1, b"\0"),))
    for length in range(len(whole)):
        raises(MessageError, message.decode, whole[:length])
    assert "5 bytes follow" in raises(MessageError, message.decode, whole + b"\0").text
    assert "protocol byte 0x57" in raises(MessageError, message.decode, b"\x57" + whole[1:]).text


def test_delays_and_words_of_the_server():
    for value, seconds in ((b"\x3c", 60), (b"\0\x3c", 60), (b"\0\0\x0e\x10", 3600)):
        assert message.decode(message.encode(message.END, 7, ((12, value),))).retry_delay == seconds
    decoded = message.decode(message.encode(message.END, 7, ((2, b"busy\xff\x1b[31m\0"), (99, b"new"))))
    assert decoded.reason_info == "busy[31m"


def test_too_long_is_a_value_error():
    raises(ValueError, message.encode, 1, 1, ((4, b"x" * 65536),))
    raises(ValueError, message.encode, 1, 1, ((4, b"x" * 40000), (6, b"x" * 40000)))
    raises(ValueError, message.text, "a\0b", "the string")
