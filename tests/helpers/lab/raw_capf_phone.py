# SPDX-License-Identifier: MIT
"""A CAPF phone of a few lines for tests of the lab's server: it sends whatever the test says, right or wrong."""

import hashlib
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from tests.helpers.lab.raw_clients import element, receive, tls

DEVICE = b"SEP00270DC01C92\0"


class RawPhone:
    """One session; a context manager. `number` is the server's session number."""

    def __init__(self, port):
        self.stream = tls(port)
        self.peer = self.stream.getpeercert(True)
        command, elements = self.hear()
        assert command == 1 and elements[7] == b"\3" and len(elements[8]) == 1

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.stream.close()

    def hear(self):
        """(command, {tag: value}) of the server's next message; None at the end of the connection."""
        header = receive(self.stream, 8)
        if not header:
            return None
        protocol, command, self.number, length = struct.unpack(">BBIH", header)
        assert protocol == 0x55
        data, elements = receive(self.stream, length), {}
        while data:
            tag, size = struct.unpack_from(">BH", data)
            elements[tag], data = data[3 : 3 + size], data[3 + size :]
        return command, elements

    def say(self, command, *elements, number=None):
        """Send a message; `elements` are (tag, value)."""
        body = b"".join(element(tag, value) for tag, value in elements)
        number = self.number if number is None else number
        self.stream.sendall(struct.pack(">BBIH", 0x55, command, number, len(body)) + body)

    def authenticate(self, *more, password=b"", device=DEVICE):
        """AUTH_RES; returns the server's next message."""
        self.say(2, (1, b"\1"), (7, b"\3"), (13, device), (11, password + b"\0"), *more)
        return self.hear()


def certificate_element(kind, der):
    return 4, b"\1" + struct.pack(">H", len(der) + 2) + b"\0" + bytes([kind]) + der


def proof(key, der, kind, device=DEVICE):
    """CERTIFICATE, SIGNEDDATA and SHA2SIGNEDDATA by this key."""
    data = device + der
    sha512 = sign(key, "sha512", data)
    return [
        certificate_element(kind, der),
        (6, sign(key, "sha1", data)),
        (20, b"\3" + struct.pack(">H", len(sha512)) + sha512),
    ]


def sign(key, algorithm, data):
    """RSA: the bare digest, padded by hand (type 1) and raised to the private exponent; EC: ECDSA."""
    digest = hashlib.new(algorithm, data).digest()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithms = {"sha1": hashes.SHA1(), "sha512": hashes.SHA512()}
        return key.sign(digest, ec.ECDSA(utils.Prehashed(algorithms[algorithm])))
    size = key.key_size // 8
    padded = b"\0\1" + b"\xff" * (size - 3 - len(digest)) + b"\0" + digest
    numbers = key.private_numbers()
    signature = pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")
    assert key.public_key().recover_data_from_signature(signature, padding.PKCS1v15(), None) == digest
    return signature


def new_key(kind):
    curves = {"ec-256": ec.SECP256R1, "ec-384": ec.SECP384R1, "ec-521": ec.SECP521R1}
    return ec.generate_private_key(curves[kind]()) if kind in curves else rsa.generate_private_key(65537, int(kind[4:]))


def public_der(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
