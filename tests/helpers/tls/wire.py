# SPDX-License-Identifier: MIT
"""The wire of TLS for servers that misbehave: records, messages and keys of one suite each, AES-128-GCM on P-256.

TLS 1.2 (RFC 5246, 5288, 5289) with ECDHE and the server's kind of key, TLS 1.3 (RFC 8446). It has only what tests need.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLOSE_NOTIFY = b"\x01\x00"
P256 = b"\x00\x17"
TYPES = {
    "HelloRequest": 0, "ClientHello": 1, "ServerHello": 2, "NewSessionTicket": 4, "EncryptedExtensions": 8,
    "Certificate": 11, "ServerKeyExchange": 12, "CertificateRequest": 13, "ServerHelloDone": 14,
    "CertificateVerify": 15, "ClientKeyExchange": 16, "Finished": 20, "KeyUpdate": 24,
}  # fmt: skip


def sized(data, size):
    """The data behind its length of `size` bytes."""
    return len(data).to_bytes(size, "big") + data


def record(kind, body, version=b"\x03\x03"):
    """One record as it stands on the wire."""
    return bytes([kind]) + version + sized(body, 2)


def message(name, body):
    """One handshake message."""
    return bytes([TYPES[name]]) + sized(body, 3)


def extension(number, body):
    """One extension of a hello."""
    return number.to_bytes(2, "big") + sized(body, 2)


class Gone(Exception):
    """The client has ended the connection."""


class Hello:
    """The parts of a ClientHello that tests use: random, session, suites, extensions (by number)."""

    def __init__(self, body):
        self.random = body[2:34]
        at = 35 + body[34]
        self.session = body[35:at]
        end = at + 2 + int.from_bytes(body[at : at + 2], "big")
        self.suites = [body[i : i + 2] for i in range(at + 2, end, 2)]
        at = end + 1 + body[end] + 2
        self.extensions = {}
        while at < len(body):
            size = int.from_bytes(body[at + 2 : at + 4], "big")
            self.extensions[int.from_bytes(body[at : at + 2], "big")] = body[at + 4 : at + 4 + size]
            at += 4 + size

    def share(self):
        """The client's point on P-256, None where it is missing."""
        shares = self.extensions.get(51, b"\0\0")[2:]
        return shares[4:69] if shares[:2] == P256 else None


class Reader:
    """Records and handshake messages of the client from a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.opener = None
        self.messages = b""

    def exactly(self, count):
        """So many bytes; Gone at the end."""
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise Gone
            data += more
        return data

    def record(self):
        """(type, content) of the next record, decrypted where that is due."""
        header = self.exactly(5)
        body = self.exactly(int.from_bytes(header[3:], "big"))
        # A client of TLS 1.3 may send an alert before it has switched to encryption.
        is_plain = header[0] == CHANGE_CIPHER_SPEC or (header[0] == ALERT and len(body) == 2)
        if self.opener and not is_plain:
            return self.opener.open(header, body)
        return header[0], body

    def message(self):
        """(type, whole message) of the next handshake message; alerts of the client are Gone."""
        while len(self.messages) < 4 or len(self.messages) < 4 + int.from_bytes(self.messages[1:4], "big"):
            kind, body = self.record()
            if kind == ALERT:
                raise Gone(body)
            if kind == HANDSHAKE:
                self.messages += body
        size = 4 + int.from_bytes(self.messages[1:4], "big")
        found, self.messages = self.messages[:size], self.messages[size:]
        return found[0], found


class Keys12:
    """One direction of TLS 1.2 with AES-128-GCM."""

    def __init__(self, key, salt):
        self.aead, self.salt, self.number = AESGCM(key), salt, 0

    def seal(self, kind, body):
        """One record."""
        nonce = self.number.to_bytes(8, "big")
        extra = nonce + bytes([kind]) + b"\x03\x03" + len(body).to_bytes(2, "big")
        self.number += 1
        return record(kind, nonce + self.aead.encrypt(self.salt + nonce, body, extra))

    def open(self, header, body):
        """(type, content)."""
        extra = self.number.to_bytes(8, "big") + header[:3] + (len(body) - 24).to_bytes(2, "big")
        self.number += 1
        return header[0], self.aead.decrypt(self.salt + body[:8], body[8:], extra)


class Keys13:
    """One direction of TLS 1.3 with AES-128-GCM, of its traffic secret."""

    def __init__(self, secret):
        self.secret = secret
        self.aead = AESGCM(expand(secret, b"key", b"", 16))
        self.iv, self.number = expand(secret, b"iv", b"", 12), 0

    def _nonce(self):
        nonce = int.from_bytes(self.iv, "big") ^ self.number
        self.number += 1
        return nonce.to_bytes(12, "big")

    def seal(self, kind, body, pad=0):
        """One record with `pad` zero bytes of padding."""
        inner = body + bytes([kind]) + bytes(pad)
        header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
        return header + self.aead.encrypt(self._nonce(), inner, header)

    def open(self, header, body):
        """(type, content)."""
        inner = self.aead.decrypt(self._nonce(), body, header).rstrip(b"\0")
        return inner[-1], inner[:-1]

    def finished(self, transcript):
        """verify_data over a transcript."""
        return mac(expand(self.secret, b"finished", b"", 32), digest(transcript))


def digest(data):
    """SHA-256, the hash of both suites."""
    return hashlib.sha256(data).digest()


def mac(key, data):
    """HMAC-SHA-256."""
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(secret, label, context, size):
    """HKDF-Expand-Label (RFC 8446, 7.1) for at most 32 bytes."""
    info = size.to_bytes(2, "big") + sized(b"tls13 " + label, 1) + sized(context, 1)
    return mac(secret, info + b"\x01")[:size]


def prf(secret, label, seed, size):
    """The pseudorandom function of TLS 1.2 (RFC 5246, 5)."""
    seed = label + seed
    block, found = seed, b""
    while len(found) < size:
        block = mac(secret, block)
        found += mac(secret, block + seed)
    return found[:size]


class Agreement:
    """The server's half of ECDHE on P-256."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def secret(self, point):
        """The shared secret."""
        return self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))


def sign(private, data, pss):
    """(scheme, signature) with SHA-256, by an RSA or a P-256 key."""
    if not isinstance(private, rsa.RSAPrivateKey):
        return b"\x04\x03", private.sign(data, ec.ECDSA(hashes.SHA256()))
    if pss:
        return b"\x08\x04", private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    return b"\x04\x01", private.sign(data, padding.PKCS1v15(), hashes.SHA256())


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
