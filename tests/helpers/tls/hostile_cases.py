# SPDX-License-Identifier: MIT
"""TLS servers that try to delay, confuse or deceive the phone: each case is a Twist, with the failure that must follow.

CASES: name -> (Server12 or Server13, Twist, name of the failure, a part of its sentence, whether the handshake succeeds
before). Servers that stall or drip are in tests/integration/test_tls_slow.py.
"""

from tests.helpers.tls.hostile import Close, Server12, Server13, Twist
from tests.helpers.tls.identity import identity
from tests.helpers.tls.wire import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Hello, message, record

WARNING = record(ALERT, b"\x01\x5a")  # user_canceled
VERSIONS = {"tls12": Server12, "tls13": Server13}
CASES = {}


def case(failure, says, versions=("tls12", "tls13"), opens=False):
    """Register a Twist under its name, with the phone's failure and a part of its sentence. opens: the failure comes after
    the handshake, so the phone's certificate may have been sent."""

    def keep(twist):
        for version in versions:
            CASES[f"{twist.__name__}-{version}"] = (VERSIONS[version], twist, failure, says, opens)
        return twist

    return keep


def flip(data, place=-1):
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


# ------------------------------------------------------------------------------------------- too much


@case("tls-alerts", "more than 4 alerts")
class AlertFlood(Twist):
    def before(self, server, name):
        while name == "ServerHello":
            server.raw(WARNING)


@case("tls-alerts", "more than 4 alerts", ["tls12"], opens=True)
class AlertFloodOfAnOpenConnection(Twist):
    def opened(self, server):
        while True:
            server.raw(server.seal(ALERT, b"\x01\x5a"))


@case("tls-records", "more than 64 records", ["tls13"], opens=True)
class AlertFloodUnderEncryption(AlertFloodOfAnOpenConnection):
    pass


@case("tls-records", "more than 64 records")
class MessageInPiecesOfOneByte(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.raw(server.seal(HANDSHAKE, message("Certificate", bytes(2000))[:4]))
            while True:
                server.raw(server.seal(HANDSHAKE, b"\0"))


@case("tls-records", "more than 64 records", ["tls13"])
class ChangeCipherSpecFlood(Twist):
    def before(self, server, name):
        while name == "EncryptedExtensions":
            server.raw(record(CHANGE_CIPHER_SPEC, b"\x01"))


@case("tls-record", "one of many empty ones", opens=True)
class EmptyRecordFlood(Twist):
    def opened(self, server):
        while True:
            server.data(b"")


@case("tls-records", "more than 64 records", ["tls13"], opens=True)
class TicketFlood(Twist):
    def opened(self, server):
        while True:
            server.raw(server.seal(HANDSHAKE, message("NewSessionTicket", bytes(8) + b"\x01\0\0\x01a\0\0")))


@case("tls-records", "more than 64 records", ["tls12"], opens=True)
class RenegotiationFlood(Twist):
    def opened(self, server):
        while True:
            server.raw(server.seal(HANDSHAKE, message("HelloRequest", b"")))


@case("tls-bytes", "more than 64 KB", ["tls13"])
class MoreThan64KilobytesOfPadding(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.raw(server.seal(HANDSHAKE, message("Certificate", bytes(100))[:4]))
            while True:
                server.raw(server.cipher.seal(HANDSHAKE, b"\0", pad=16000))


@case("tls-message", "too long")
class HandshakeMessageOfManyMegabytes(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.raw(server.seal(HANDSHAKE, b"\x0b\xff\xff\xff" + bytes(16000)))


@case("tls-record", "too long")
class RecordOf16641Bytes(Twist):
    def before(self, server, name):
        if name == "ServerHello":
            server.raw(record(HANDSHAKE, bytes(16641)))


@case("tls-record", "too long", opens=True)
class RecordOf65535Bytes(Twist):
    def opened(self, server):
        server.raw(b"\x17\x03\x03\xff\xff" + bytes(65535))


# ------------------------------------------------------------------------------------------- cut short


@case("tls-cut", "without the server's end of TLS")
class TruncatedRecord(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.raw(record(HANDSHAKE, bytes(500))[:100])
            raise Close


@case("tls-cut", "without the server's end of TLS", opens=True)
class TruncatedData(Twist):
    def opened(self, server):
        server.raw(server.seal(APPLICATION_DATA, bytes(500))[:100])
        raise Close


@case("tls-message", "malformed")
class TruncatedServerHello(Twist):
    def change(self, server, name, body):
        return body[:20] if name == "ServerHello" else body


@case("tls-message", "malformed", ["tls12"])
class TruncatedCertificate(Twist):
    def change(self, server, name, body):
        return body[:-1] if name == "Certificate" else body


@case("tls-record", "malformed")
class NotTlsAtAll(Twist):
    def before(self, server, name):
        server.raw(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        raise Close


# ------------------------------------------------------------------------------------- somebody else


class Impostor(Twist):
    """Shows the right certificate and has another key."""

    def signer(self, server):
        return identity("rsa2048", "impostor").private


@case("tls-proof", "may be an impostor")
class RightCertificateWithoutItsKey(Impostor):
    pass


@case("tls-proof", "did not prove")
class WrongSignature(Twist):
    def signature(self, data):
        return flip(data)


@case("tls-proof", "did not prove", ["tls12"])
class WrongPssSignature(WrongSignature):
    pss = True


@case("tls-proof", "may be an impostor", ["tls12"])
class PssSignatureByAnotherKey(Impostor):
    pss = True


@case("tls-proof", "did not prove")
class EmptySignature(Twist):
    def signature(self, data):
        return b""


@case("tls-scheme", "signs in a way that was not offered", ["tls12"])
class SignatureWithSha1(Twist):
    def change(self, server, name, body):
        return body.replace(b"\x04\x01\x01\x00", b"\x02\x01\x01\x00") if name == "ServerKeyExchange" else body


@case("tls-proof", "did not prove")
class CertificateSwapped(Twist):
    def change(self, server, name, body):
        mine, other = identity("rsa2048").certificate, identity("rsa2048", "impostor").certificate
        if name != "Certificate":
            return body
        assert mine in body
        swapped = body.replace(len(mine).to_bytes(3, "big") + mine, len(other).to_bytes(3, "big") + other)
        size = len(other) + 3 + (2 if server.cipher else 0)
        at = 1 if server.cipher else 0
        return swapped[:at] + size.to_bytes(3, "big") + swapped[at + 3 :]


@case("tls-proof", "did not prove", ["tls13"])
class WrongFinished(Twist):
    def change(self, server, name, body):
        return flip(body) if name == "Finished" else body


@case("tls-proof", "did not prove", ["tls12"], opens=True)
class WrongFinishedOfTls12(WrongFinished):
    pass


@case("tls-certificate", "missing, unreadable", ["tls13"])
class NoCertificate(Twist):
    def change(self, server, name, body):
        empty = b"\0\0\0\0" if server.cipher else b"\0\0\0"
        return empty if name == "Certificate" else body


@case("tls-message", "its Certificate was due", ["tls12"])
class NoCertificateInTls12(NoCertificate):
    pass


@case("tls-certificate", "unreadable")
class UnreadableCertificate(Twist):
    def certificate(self, server):
        return bytes(300)


@case("tls-certificate", "unreadable")
class CertificateWithSomethingBehindIt(Twist):
    def certificate(self, server):
        return server.identity.certificate + b"\0"


# -------------------------------------------------------------------------------- out of place


@case("tls-message", "not due", ["tls13"])
class HelloRetryRequestTwice(Twist):
    retries = 2


@case("tls-message", "not due")
class FinishedInPlaceOfTheCertificate(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.raw(server.seal(HANDSHAKE, message("Finished", bytes(12))))


@case("tls-message", "not due", ["tls12"])
class WithoutProof(Twist):
    def before(self, server, name):
        if name == "ServerKeyExchange":
            server.raw(record(HANDSHAKE, message("ServerHelloDone", b"")))
            server.stall()


@case("tls-message", "not due", ["tls13"])
class WithoutProofOfTls13(Twist):
    def before(self, server, name):
        if name == "CertificateVerify":
            server.raw(server.seal(HANDSHAKE, message("Finished", server.cipher.finished(server.transcript))))
            server.stall()


@case("tls-message", "not due")
class DataDuringTheHandshake(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.raw(server.seal(APPLICATION_DATA, b"hello"))


@case("tls-record", "altered", ["tls13"])
class PlaintextAfterTheServerHello(Twist):
    def before(self, server, name):
        if name == "Certificate":
            server.raw(record(HANDSHAKE, message("Certificate", bytes(200))))


@case("tls-record", "altered", opens=True)
class PlaintextAfterEncryption(Twist):
    def opened(self, server):
        server.raw(record(APPLICATION_DATA, b"This was not encrypted, but is as long as what is."))


@case("tls-record", "altered", opens=True)
class AlteredData(Twist):
    def opened(self, server):
        server.raw(flip(server.seal(APPLICATION_DATA, b"hello")))


@case("tls-record", "altered", opens=True)
class ReplayedData(Twist):
    def opened(self, server):
        once = server.seal(APPLICATION_DATA, b"hello")
        server.raw(once + once)


@case("tls-key-update", "end at TLS 1.2", ["tls13"], opens=True)
class KeyUpdate(Twist):
    """docs/spec/http.md, H9."""

    def opened(self, server):
        server.raw(server.seal(HANDSHAKE, message("KeyUpdate", b"\0")))
        server.stall()


@case("tls-parameters", "not offered")
class SuiteThatWasNotOffered(Twist):
    def change(self, server, name, body):
        at = 35 + body[34] if name == "ServerHello" else 0
        return body[:at] + b"\x00\x35" + body[at + 2 :] if at else body


@case("tls-parameters", "not offered")
class Compression(Twist):
    def change(self, server, name, body):
        at = 37 + body[34] if name == "ServerHello" else 0
        return body[:at] + b"\x01" + body[at + 1 :] if at else body


@case("tls-version", "neither TLS 1.2 nor 1.3", ["tls12"])
class OldVersion(Twist):
    def change(self, server, name, body):
        return b"\x03\x02" + body[2:] if name == "ServerHello" else body


@case("tls-parameters", "not offered", ["tls12"])
class StaticRsaThatWasNotOffered(Twist):
    def change(self, server, name, body):
        at = 35 + body[34] if name == "ServerHello" else 0
        return body[:at] + b"\x00\x9c" + body[at + 2 :] if at else body


@case("tls-parameters", "not offered", ["tls12"])
class DowngradeByAServerThatHasTls13(Twist):
    def change(self, server, name, body):
        return body[:26] + b"DOWNGRD\x01" + body[34:] if name == "ServerHello" else body


@case("tls-message", "its Certificate was due", ["tls12"])
class ResumptionThatNobodyAskedFor(Twist):
    def change(self, server, name, body):
        session = Hello(server.transcript[4:]).session
        return body[:34] + bytes([len(session)]) + session + body[35:] if name == "ServerHello" else body

    def before(self, server, name):
        if name == "Certificate":
            server.raw(record(CHANGE_CIPHER_SPEC, b"\x01"))
            server.stall()


@case("tls-message", "too long", ["tls13"])
class CookieThatFitsIntoNoClientHello(Twist):
    retries = 1
    cookie = bytes(12000)
