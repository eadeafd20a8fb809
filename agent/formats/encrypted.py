# SPDX-License-Identifier: MIT
"""Encrypted configuration (`.enc.sgn`): from ciphertext to plaintext, after the signature was good (docs/spec/formats.md, X1).

A wrong key, wrong padding and a damaged plaintext look the same from outside (X2): only the digest of the plaintext
decides, and no earlier step shows a difference."""

from agent.errors import Malformed
from agent.formats.tlv import CIPHERPADDING

#: Bytes of AES keys. A file does not say which it has (KEYALGORITHM may, but its values are unknown): all are tried.
_KEY_SIZES = (16, 24, 32)
_BLOCK = 16
_CHUNK = 1024  # bytes decrypted at a time


def decrypt(crypto, private_key, header, body):
    """Decrypt `body` (a writable memoryview of the ciphertext) in place with the phone's private key (DER).

    Returns the length of the plaintext, or None where this key does not fit; then the body is as it was. Raises Malformed
    where the lengths cannot be right: the signed header has them in the clear, so this tells nothing about the key."""
    encryption = header.encryption
    size = len(body)
    if size == 0 or size % _BLOCK or encryption.padding > _BLOCK:
        raise Malformed("%d bytes of ciphertext with %d bytes of padding" % (size, encryption.padding), CIPHERPADDING)
    plain = size - encryption.padding
    fitting = None
    for length in _KEY_SIZES:
        try:
            key = crypto.unwrap_key(private_key, encryption.key, length)
        except ValueError:
            return None  # a key of another kind or size: the file was not encrypted to it
        if _digest(crypto, key, encryption, body, plain) == encryption.digest:
            fitting = key
    if fitting is None:
        return None
    stream = crypto.decrypt_stream(fitting, encryption.iv)
    for at, chunk in _chunks(body):
        stream.update(chunk)
        body[at : at + len(chunk)] = chunk
    return plain


def _digest(crypto, key, encryption, body, plain):
    """Digest of the plaintext that this key makes, without padding; the body stays as it is."""
    stream = crypto.decrypt_stream(key, encryption.iv)
    running = crypto.digest_stream(encryption.digest_algorithm)
    for at, chunk in _chunks(body):
        stream.update(chunk)
        running.update(memoryview(chunk)[: max(0, min(len(chunk), plain - at))])
    return running.digest()


def _chunks(body):
    """(offset, copy) of the pieces of a body."""
    for at in range(0, len(body), _CHUNK):
        yield at, bytearray(body[at : at + _CHUNK])
