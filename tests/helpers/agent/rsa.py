# SPDX-License-Identifier: MIT
"""The public operation of RSA in plain arithmetic, on both Pythons: so signatures are checked without their maker."""

MODULUS = b"\x02\x82\x01\x01\x00"  # in DER, an INTEGER of 257 bytes: the modulus of a key of 2048 bits
EXPONENT = b"\x02\x03\x01\x00\x01"


def opened(certificate, signature):
    """The 256 bytes that were signed, padding and all: signature ** 65537 modulo the key of a certificate (DER)."""
    at = certificate.index(MODULUS) + len(MODULUS)
    assert certificate[at + 256 : at + 261] == EXPONENT and len(signature) == 256
    number = pow(int.from_bytes(signature, "big"), 65537, int.from_bytes(certificate[at : at + 256], "big"))
    return number.to_bytes(256, "big")


def padded(content):
    """Content under padding of type 1 (RFC 8017, 9.2), for a key of 2048 bits."""
    return b"\0\1" + b"\xff" * (256 - 3 - len(content)) + b"\0" + content
