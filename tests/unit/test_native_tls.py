# SPDX-License-Identifier: MIT
"""The binding of libphonetrust's TLS on both Pythons, without a server: what is checked before C is called, and states."""

from hal.native_tls import FUNCTIONS, Tls
from hal.native_tls_wording import ALERTS, MESSAGES, SENTENCES, sentence
from tests.helpers.agent.both import MICROPYTHON, ROOT, raises

if MICROPYTHON:
    from hal.device import crypto_binding as binding
else:
    from hal.host.library import Binding, library_path

    def binding():
        return Binding(library_path())


WRONG = (TypeError, ValueError)
ALERT = b"\x15\x03\x03\x00\x02"


def recording(name):
    with open(ROOT + "/tests/native/tls_recordings/" + name, "rb") as file:
        return file.read()


def identity():
    return recording("client-ec521.crt"), recording("client-ec521.key")


def failing(connection, data):
    """The OSError that these bytes of a server bring."""
    error = raises(OSError, connection.receive, data)
    assert error.errno == 71 and connection.state == "failed"
    return error


def test_number_and_kinds_of_arguments_are_checked():
    made = binding()
    made.declare(FUNCTIONS)
    calls = dict((name, made.function(name, result, kinds)) for name, result, kinds in FUNCTIONS)
    for name, _, kinds in FUNCTIONS:
        for count in range(len(kinds) + 3):
            if count != len(kinds):
                raises(TypeError, calls[name], *[0] * count)
        if kinds.startswith("h"):
            for handle in (None, b"handle", "handle", bytearray(100)):
                raises(WRONG, calls[name], *[handle] + [0] * (len(kinds) - 1))
    handle = calls["tls_new"](0)
    raises(WRONG, calls["tls_receive"], handle, "text", 4)
    raises(WRONG, calls["tls_receive"], handle, b"bytes", -1)
    raises(WRONG, calls["tls_send"], handle, b"not writable", 12)
    calls["tls_free"](handle)


def test_a_new_connection_has_a_client_hello_and_waits():
    connection = Tls(binding()).connect()
    assert connection.state == "handshake" and connection.awaited == "ServerHello"
    assert not connection.wants_input
    hello = connection.output()
    assert hello[:1] == b"\x16" and hello[5:6] == b"\x01" and len(hello) == 5 + (hello[3] << 8 | hello[4])
    assert connection.wants_input and connection.output() == b""
    assert connection.certificate is None and connection.version is None and connection.suite == 0
    raises(ValueError, connection.accept)
    raises(ValueError, connection.write, b"x")
    assert connection.read_into(bytearray(10)) == 0
    connection.free()
    connection.free()
    for call in (connection.output, connection.cut, connection.accept, connection.shut, connection.facts):
        raises(ValueError, call)


def test_the_name_of_the_server_is_in_the_client_hello():
    tls = Tls(binding())
    connection = tls.connect(server_name="tvs.example")
    assert b"tvs.example" in connection.output()
    connection.free()
    for wrong in ("x" * 256, "a\0b"):
        assert "server name" in str(raises(ValueError, tls.connect, None, wrong))


def test_an_identity_that_cannot_be_used():
    tls = Tls(binding())
    certificate, key = identity()
    tls.connect((certificate, key)).free()
    for pair, name in (
        ((certificate[:-1], key), "malformed"),
        ((certificate, key[:-1]), "key"),
        ((certificate, recording("client-rsa4096.key")), "mismatch"),
        ((bytes(4000), key), "space"),
    ):
        assert str(raises(ValueError, tls.connect, pair)) == "identity: " + name
    raises(WRONG, tls.connect, (certificate, "text"))


def test_what_the_client_offers_is_the_same_with_and_without_an_identity():
    tls = Tls(binding())
    with_identity, without = tls.connect(identity()), tls.connect()
    assert len(with_identity.output()) == len(without.output())
    with_identity.free()
    without.free()


def test_bytes_that_come_one_by_one():
    connection = Tls(binding()).connect()
    connection.output()
    data = ALERT + b"\x02\x28"
    for index in range(len(data) - 1):
        connection.receive(data[index : index + 1])
        assert connection.state == "handshake" and connection.wants_input
    failing(connection, data[-1:])
    connection.free()


def test_failures_have_a_name_and_a_sentence():
    tls = Tls(binding())
    for data, name, text in (
        (ALERT + b"\x02\x28", "tls-alert", "alert 40 (handshake_failure): see that it has a cipher suite"),
        (ALERT + b"\x02\x46", "tls-alert", "alert 70 (protocol_version): switch on TLS 1.2"),
        (ALERT + b"\x02\xc8", "tls-alert", "alert 200 (unknown)"),
        (ALERT + b"\x01\x00", "tls-closed", "ended the connection by close_notify during the handshake"),
        ((ALERT + b"\x01\x5a") * 5, "tls-alerts", "more than 4 alerts"),
        (b"HTTP/1.0 400 Bad Request", "tls-record", "malformed"),
        (b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00", "tls-message", "not due (its ServerHello was due)"),
    ):
        connection = tls.connect()
        connection.output()
        error = failing(connection, data)
        assert connection.failure == name
        assert str(error.args[1]).startswith("TLS: ") and text in str(error.args[1])
        again = raises(OSError, connection.receive, b"more")
        assert again.args[1] == error.args[1]
        connection.free()


def test_a_server_that_asked_for_a_certificate_and_failed_then():
    said = [sentence("tls-alert", 40, 20, asked, 0, shown) for asked, shown in ((0, False), (1, False), (1, True))]
    assert "has a cipher suite" in said[0]
    assert said[1].endswith("alert 40 (handshake_failure): it asked for a certificate: give this phone one")
    assert said[2].endswith("it asked for a certificate: see that it takes this phone's certificate")
    assert "that it trusts the issuer" in sentence("tls-alert", 48, 20, 1, 0, True)


def test_the_end_of_the_transport():
    connection = Tls(binding()).connect()
    raises(OSError, connection.cut)
    assert connection.failure == "tls-cut" and connection.state == "failed"
    connection.free()
    shut = Tls(binding()).connect()
    shut.shut()
    shut.cut()
    assert shut.state == "shut"
    shut.free()


def test_every_error_of_the_library_has_a_sentence():
    made = binding()
    made.declare(FUNCTIONS)
    name = made.function(*FUNCTIONS[0])
    for number in range(-27, -10):
        failure = name(number)
        text = sentence(failure, 40, 2, 0, 0x7100, False)
        assert failure.startswith("tls-") and len(text) > 20
        assert ("fault of the phone" in text) == (failure == "tls-internal")
    assert len(SENTENCES) == 16 and "ServerHello" in MESSAGES.values() and 40 in ALERTS


def test_many_connections_are_freed():
    tls = Tls(binding())
    for _ in range(50):
        tls.connect(identity()).free()
