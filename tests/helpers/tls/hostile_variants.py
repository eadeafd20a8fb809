# SPDX-License-Identifier: MIT
"""More TLS servers that misbehave, each a variant of an attack that is known from other TLS clients.

VARIANTS are like CASES in hostile_cases.py, with None as the failure where the phone accepts the connection.
"""

from tests.helpers.tls.hostile import Twist
from tests.helpers.tls.hostile_cases import VERSIONS
from tests.helpers.tls.wire import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, extension, message, record, sized

VARIANTS = {}
WARNING = b"\x01\x5a"  # user_canceled


def variant(failure, says="", versions=("tls12", "tls13"), opens=False):
    """As hostile_cases.case."""

    def keep(twist):
        for version in versions:
            VARIANTS[f"{twist.__name__}-{version}"] = (VERSIONS[version], twist, failure, says, opens)
        return twist

    return keep


def before(name, *sent):
    """A Twist that sends these (type, content) records before a message."""

    class Before(Twist):
        def before(self, server, message_name):
            if message_name == name:
                for kind, content in sent:
                    server.raw(server.seal(kind, content))

    return Before


def rewritten(server, name, body, new):
    """`new` in place of `body`, and in what is signed, too."""
    old = message(name, body)
    assert server.transcript.endswith(old)
    server.transcript = server.transcript[: -len(old)] + message(name, new)
    return new


# ----------------------------------------------------------------------------- unusual, and taken


class Pieces(Twist):
    """Each handshake message in records of `size` bytes."""

    size = 60

    def before(self, server, name):
        if name == "ServerHello":
            seal = server.seal
            server.seal = lambda kind, body: b"".join(
                seal(kind, body[at : at + self.size]) for at in range(0, len(body), self.size)
            )


@variant(None)
class MessagesInPiecesOf60Bytes(Pieces):
    pass


@variant("tls-record", "malformed")
class AllMessagesInPiecesOfOneByte(Pieces):
    size = 1


@variant(None)
class AlertsBetweenData(Twist):
    def opened(self, server):
        for each in b"hello":
            server.data(bytes([each]))
            if each in b"he":
                server.raw(server.seal(ALERT, WARNING))
        server.close_notify()


class Chain(Pieces):
    """Shows its certificate and `count` others, which the phone does not read."""

    size, count, filler = 16000, 100, bytes(128)

    def change(self, server, name, body):
        if name != "Certificate":
            return body
        ending = b"\0\0" if server.cipher else b""
        whole = body[4:] if server.cipher else body[3:]
        whole += (sized(self.filler, 3) + ending) * self.count
        return rewritten(server, name, body, (b"\0" if server.cipher else b"") + sized(whole, 3))


@variant(None)
class ChainOf100Certificates(Chain):
    pass


@variant("tls-message", "16 KB")
class ChainOf100Kilobytes(Chain):
    filler = bytes(1000)


@variant("tls-message", "16 KB")
class CertificateOf60Kilobytes(Pieces):
    size = 16000

    def certificate(self, server):
        return b"\x30\x82\xea\x5c" + bytes(60000)


# ------------------------------------------------------------------------- records out of shape

ODD_RECORDS = {
    "HandshakeRecordOfNothing": (HANDSHAKE, b""),
    "AlertOfNothing": (ALERT, b""),
    "AlertOfOneByte": (ALERT, b"\x02"),
    "TwoAlertsInOne": (ALERT, b"\x02\x28\x02\x28"),
    "MessageOfOneByte": (HANDSHAKE, b"\x0b"),
    "ChangeCipherSpecOfTwo": (CHANGE_CIPHER_SPEC, b"\x02"),
    "ChangeCipherSpecOfTwoBytes": (CHANGE_CIPHER_SPEC, b"\x01\x01"),
    "Heartbeat": (24, b"\x01\x40\x00"),  # that asks for 16 KB of the phone's memory
    "RecordOfUnknownType": (99, b"x"),
}
for name, odd in ODD_RECORDS.items():
    variant("tls-record", "malformed")(type(name, (before("ServerHello", odd),), {}))


@variant("tls-record", "malformed", versions=["tls13"], opens=True)
class RecordOfZerosAlone(Twist):
    def opened(self, server):
        server.raw(server.cipher.seal(0, bytes(100)))
        server.stall()


@variant("tls-record", "malformed", versions=["tls13"], opens=True)
class EmptyHandshakeRecord(Twist):
    def opened(self, server):
        server.raw(server.seal(HANDSHAKE, b""))
        server.stall()


@variant("tls-message", "not due", opens=True)
class HandshakeMessageThatNeverEnds(Twist):
    def opened(self, server):
        server.raw(server.seal(HANDSHAKE, b"\x04\xff\xff\xff" + bytes(1000)))
        while True:
            server.raw(server.seal(HANDSHAKE, bytes(16000)))


# ------------------------------------------------------------------------------ messages out of place


@variant("tls-message", "not due", versions=["tls12"])
class EarlyChangeCipherSpec(Twist):
    def before(self, server, name):
        if name == "ServerKeyExchange":
            server.raw(record(CHANGE_CIPHER_SPEC, b"\x01"))


@variant("tls-message", "not due", versions=["tls12"])
class EarlyChangeCipherSpecBeforeDone(Twist):
    def before(self, server, name):
        if name == "ServerHelloDone":
            server.raw(record(CHANGE_CIPHER_SPEC, b"\x01"))


@variant("tls-message", "not due", versions=["tls12"], opens=True)
class FinishedInPlaintext(Twist):
    def before(self, server, name):
        if name == "Finished":
            server.raw(record(HANDSHAKE, message("Finished", bytes(12))))
            server.stall()


@variant("tls-message", "not due", versions=["tls12"], opens=True)
class TicketThatNobodyAskedFor(Twist):
    def before(self, server, name):
        if name == "Finished":
            server.raw(record(HANDSHAKE, message("NewSessionTicket", b"\0\0\0\1\0\1x")))


@variant("tls-message", "not due", opens=True)
class ClientHelloOfTheServer(Twist):
    def opened(self, server):
        server.raw(server.seal(HANDSHAKE, message("ClientHello", bytes(100))))
        server.stall()


@variant("tls-message", "not due", opens=True, versions=["tls13"])
class AsksForACertificateLater(Twist):
    def opened(self, server):
        schemes = extension(13, sized(b"\x08\x04\x04\x03", 2))
        server.raw(server.seal(HANDSHAKE, message("CertificateRequest", b"\x01x" + sized(schemes, 2))))
        server.stall()


@variant("tls-message", "not due", opens=True)
class SecondFinished(Twist):
    def opened(self, server):
        server.raw(server.seal(HANDSHAKE, message("Finished", bytes(32))))
        server.stall()


@variant("tls-message", "not due")
class HelloTwice(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.raw(server.seal(HANDSHAKE, server.hello_again))

    def change(self, server, name, body):
        if name == "ServerHello":
            server.hello_again = message(name, body)
        return body


@variant("tls-message", "not due")
class CertificateTwice(Twist):
    def change(self, server, name, body):
        if name == "Certificate":
            server.raw(server.seal(HANDSHAKE, message(name, body)))
        return body


@variant("tls-message", "not due")
class AsksForACertificateTwice(Twist):
    def change(self, server, name, body):
        if name == "CertificateRequest":
            server.raw(server.seal(HANDSHAKE, message(name, body)))
        return body


@variant("tls-message", "not due", versions=["tls12"])
class HelloDoneWithABody(Twist):
    def change(self, server, name, body):
        return b"x" if name == "ServerHelloDone" else body


# --------------------------------------------------------------------------------------- weird values


def with_exponent(certificate, exponent):
    """The certificate (DER) of an RSA key with this INTEGER as its public exponent, in place of 65537."""
    at = certificate.index(b"\x02\x03\x01\x00\x01")
    made = certificate[:at] + exponent + certificate[at + 5 :]
    start = 0
    while start < at:  # every element that it stands in has a length of two bytes
        size = int.from_bytes(certificate[start + 2 : start + 4], "big")
        inner = start + 4
        if certificate[start + 1] != 0x82 or at >= inner + size:
            start += 2 + certificate[start + 1] if certificate[start + 1] < 0x80 else 4 + size
            continue
        made = made[: start + 2] + (size + len(exponent) - 5).to_bytes(2, "big") + made[inner:]
        start = inner + (certificate[start] == 3)
    return made


@variant("tls-certificate", "unreadable")
class ExponentOfOne(Twist):
    """Anyone who knows the public half of such a key can sign for it."""

    def certificate(self, server):
        return with_exponent(server.identity.certificate, b"\x02\x01\x01")


@variant("tls-certificate", "unreadable")
class EvenExponent(Twist):
    def certificate(self, server):
        return with_exponent(server.identity.certificate, b"\x02\x03\x01\x00\x00")


def replaced(name, old, new):
    """A Twist that changes bytes of a message."""

    class Replaced(Twist):
        def change(self, server, message_name, body):
            if message_name != name:
                return body
            assert old in body, body.hex()
            return body.replace(old, new, 1)

    return Replaced


@variant("tls-proof", "did not prove", versions=["tls12"])
class PointThatIsNotOnTheCurve(Twist):
    def change(self, server, name, body):
        return body[:20] + bytes(49) + body[69:] if name == "ServerKeyExchange" else body


@variant("tls-parameters", "not offered", versions=["tls13"])
class ShareThatIsNotOnTheCurve(Twist):
    def change(self, server, name, body):
        at = body.find(b"\x00\x17\x00\x41\x04") if name == "ServerHello" else -1
        return body if at < 0 else body[: at + 20] + bytes(49) + body[at + 69 :]


@variant("tls-parameters", "not offered", versions=["tls13"])
class ShareOfACurveThatWasNotOffered(replaced("ServerHello", b"\x00\x17\x00\x41", b"\x00\x1d\x00\x41")):
    pass


@variant("tls-parameters", "not offered", versions=["tls13"])
class ShareOfACurveWithoutAShare(replaced("ServerHello", b"\x00\x17\x00\x41", b"\x00\x18\x00\x41")):
    pass


@variant("tls-scheme", "for such a curve", versions=["tls12"])
class CurveThatWasNotOffered(replaced("ServerKeyExchange", b"\x03\x00\x17", b"\x03\x00\x1d")):
    pass


@variant("tls-scheme", "for such a curve", versions=["tls12"])
class ExplicitCurve(replaced("ServerKeyExchange", b"\x03\x00\x17", b"\x01\x00\x17")):
    pass


@variant("tls-parameters", "not offered", versions=["tls13"])
class DraftVersion(replaced("ServerHello", b"\x00\x2b\x00\x02\x03\x04", b"\x00\x2b\x00\x02\x7f\x1c")):
    pass


@variant("tls-parameters", "not offered", versions=["tls13"])
class UnknownEncryptedExtension(Twist):
    def change(self, server, name, body):
        return sized(extension(0x9999, bytes(9000)), 2) if name == "EncryptedExtensions" else body


@variant("tls-parameters", "not offered", versions=["tls13"])
class EarlyDataThatNobodyOffered(Twist):
    def change(self, server, name, body):
        return sized(extension(42, b""), 2) if name == "EncryptedExtensions" else body


@variant(None)
class AuthoritiesOf14Kilobytes(Twist):
    def change(self, server, name, body):
        if name != "CertificateRequest":
            return body
        names = sized(sized(bytes(1000), 2) * 14, 2)
        if server.cipher:
            new = b"\0" + sized(extension(13, sized(b"\x08\x04\x04\x03", 2)) + extension(47, names), 2)
        else:
            new = b"\x02\x01\x40" + sized(b"\x04\x01\x04\x03", 2) + names
        return rewritten(server, name, body, new)


@variant("tls-identity", "another kind", versions=["tls13"], opens=True)
class AsksForUnknownSignatures(Twist):
    def change(self, server, name, body):
        if name != "CertificateRequest":
            return body
        if server.cipher:
            new = b"\0" + sized(extension(13, sized(b"\x09\x99", 2)), 2)
        else:
            new = b"\x02\x01\x40" + sized(b"\x09\x99", 2) + b"\0\0"
        return rewritten(server, name, body, new)


@variant("tls-parameters", "not offered", versions=["tls12"], opens=True)
class NoSecureRenegotiation(replaced("ServerHello", b"\xff\x01\x00\x01\x00", b"\xff\x01\x00\x01\x01")):
    pass


@variant("tls-cut", "without the server's end of TLS", opens=True)
class HalfClosed(Twist):
    def opened(self, server):
        server.sock.shutdown(1)
        server.stall()


@variant("tls-cut", "without the server's end of TLS")
class HalfClosedInTheHandshake(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.sock.shutdown(1)
            server.stall()
