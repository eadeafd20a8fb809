# SPDX-License-Identifier: MIT
"""Decrypts configuration (`.enc.sgn`) whose signature was found good before (docs/spec/formats.md, X1).

A wrong key, wrong padding and a damaged plaintext look the same from outside (X2). Only the digest of the plaintext decides,
and no earlier step shows a difference."""

from agent.errors import Malformed
from agent.formats.tlv import CIPHERPADDING

#: Sizes of AES keys in bytes. All are tried: KEYALGORITHM may tell the size, but its values are unknown.
_KEY_SIZES = (16, 24, 32)
_BLOCK = 16
_CHUNK = 1024  # bytes decrypted at a time


def decrypt(crypto, private_key, header, body):
    """Decrypt `body` (a writable memoryview of the ciphertext) in place with the phone's private key (DER). crypto: of the HAL.
    header: agent.formats.header.Header with `encryption`.

    Returns the length of the plaintext in bytes, or None if this key does not fit; then the body is unchanged. Raises
    Malformed if the lengths cannot be right. The signed header has the lengths in the clear, so that reveals nothing about the
    key."""
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
            return None  # the key is of another kind or size, so the file was not encrypted to it
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
    """The digest of the plaintext that this key makes, without padding. The body stays unchanged."""
    stream = crypto.decrypt_stream(key, encryption.iv)
    running = crypto.digest_stream(encryption.digest_algorithm)
    for at, chunk in _chunks(body):
        stream.update(chunk)
        running.update(memoryview(chunk)[: max(0, min(len(chunk), plain - at))])
    return running.digest()


def _chunks(body):
    """Yields (offset, copy) for each piece of a body."""
    for at in range(0, len(body), _CHUNK):
        yield at, bytearray(body[at : at + _CHUNK])
