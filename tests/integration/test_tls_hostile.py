# SPDX-License-Identifier: MIT
"""Servers that want to hold, confuse or deceive the phone: each case ends in time, says why, and gives nothing away.

Every case runs on each Python with a client certificate at hand. What stalls and drips is in test_tls_slow.py.
"""

import pytest

from tests.helpers.hostile_tls import Close, HostileServer, Server12, Server13, Twist
from tests.helpers.tls_identity import identity
from tests.helpers.tls_pythons import PYTHONS, exchanges
from tests.helpers.tls_wire import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, message, record

WARNING = record(ALERT, b"\x01\x5a")  # user_canceled
VERSIONS = {"tls12": Server12, "tls13": Server13}
DEADLINE = 20000
CASES = {}


def case(failure, says, versions=("tls12", "tls13"), opens=False, **more):
    """Register a Twist under its name: what the phone calls it, and a part of its sentence. opens: after the handshake,
    so that the phone's certificate may have been sent."""

    def keep(twist):
        for version in versions:
            CASES[f"{twist.__name__}-{version}"] = (VERSIONS[version], twist, failure, says, opens, more)
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


@case("tls-message", "due was its Certificate", ["tls12"])
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


@case("tls-message", "not due", ["tls13"], opens=True)
class KeyUpdate(Twist):
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


# ------------------------------------------------------------------------------------------- the tests


def records(data):
    """(type, content) of each record of what the phone sent."""
    at, found = 0, []
    while at < len(data):
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        found.append((data[at], data[at + 5 : at + 5 + size]))
        at += 5 + size
    return found


def check_nothing_of_ours(sent):
    """Nothing but ClientHellos (a ChangeCipherSpec before the second) and alerts."""
    for kind, content in records(sent):
        assert kind in (ALERT, CHANGE_CIPHER_SPEC) or (kind == HANDSHAKE and content[:1] == b"\x01")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", CASES)
def test_ends_with_a_reason_and_nothing_given_away(name, python):
    kind, twist, failure, says, opens, more = CASES[name]
    twist = type(twist.__name__, (twist,), {"asks": True})()
    mine = identity("rsa2048", "client")
    with HostileServer(kind, identity("rsa2048"), twist) as server:
        case = {"port": server.port, "enough": 10**6, "identity": mine.pair, "deadline": DEADLINE, **more}
        result = exchanges(python, case)[0]
    assert (result["failure"], result["state"]) == (failure, "failed")
    assert says in result["text"]
    assert result["milliseconds"] < DEADLINE
    if not opens:
        check_nothing_of_ours(result["sent"])
        assert server.logs[0] in ([1], [1, 1])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("orderly", [False, True], ids=["cut", "close_notify"])
@pytest.mark.parametrize(
    ("version", "name"),
    [(version, name) for version, kind in VERSIONS.items() for name in (*kind.MESSAGES, "CertificateRequest")],
)
def test_closed_before_each_message(version, name, orderly, python):
    class Closing(Twist):
        asks = True

        def before(self, server, message_name):
            if message_name == name:
                if orderly:
                    server.close_notify()
                raise Close

    with HostileServer(VERSIONS[version], identity("rsa2048"), Closing()) as server:
        result = exchanges(python, {"port": server.port, "enough": 1, "deadline": DEADLINE})[0]
    assert result["failure"] == ("tls-closed" if orderly else "tls-cut")
    if not (version == "tls12" and name == "Finished"):
        check_nothing_of_ours(result["sent"])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_orderly_end_can_be_told_from_a_cut(version, python):
    class Cut(Twist):
        def opened(self, server):
            server.data(b"hello")
            raise Close

    results = []
    for twist in (Twist(), Cut()):
        with HostileServer(VERSIONS[version], identity("rsa2048"), twist) as server:
            results += exchanges(python, {"port": server.port, "enough": 100, "deadline": DEADLINE})
    assert [(each["failure"], each["state"]) for each in results] == [(None, "ended"), ("tls-cut", "failed")]
    assert results[0]["read"] == b"hello"


@pytest.mark.parametrize("python", PYTHONS)
def test_renegotiation_is_refused_and_the_connection_goes_on(python):
    class Once(Twist):
        def opened(self, server):
            server.raw(server.seal(HANDSHAKE, message("HelloRequest", b"")))
            kind, content = server.reader.record()
            assert (kind, content) == (ALERT, b"\x01\x64")  # warning no_renegotiation
            Twist.opened(self, server)

    with HostileServer(Server12, identity("ec256"), Once()) as server:
        result = exchanges(python, {"port": server.port, "enough": 100, "deadline": DEADLINE})[0]
    assert (result["failure"], result["state"], result["read"]) == (None, "ended", b"hello")
