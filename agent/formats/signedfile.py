# SPDX-License-Identifier: MIT
"""Reads a signed file (`.sgn`, `.enc.sgn`, firmware load): its header, and the digest of its signed bytes
(docs/spec/formats.md, P1).

The digest is computed while the blocks arrive, so a phone can judge a large file without keeping a copy."""

from agent.errors import Malformed
from agent.formats import tlv
from agent.formats.header import HEADER_LIMIT, Header, check_limit
from agent.formats.trustlist import too_large

#: The default limit of a file, in bytes. Real configurations have 8 to 20 KB.
SIZE_LIMIT = 65536


class SignedFile:
    """The parts of a signed file that a decision needs. header: agent.formats.header.Header. digest: the digest of the file
    without its SIGNATURE TLV, by header.digest_algorithm. size: bytes of the whole file. Its body starts at header.length."""

    def __init__(self, header, digest, size):
        self.header = header
        self.digest = digest
        self.size = size


def read(data, crypto, limit=SIZE_LIMIT):
    """The SignedFile in `data`, which is the whole file. limit: bytes. Raises Refused (`too-large`, `malformed`,
    `unsupported`)."""
    if len(data) > limit:
        raise too_large(len(data), limit)
    view = memoryview(data)
    length = _announced_length(view, len(view)) if len(view) >= 10 else 10
    if length > len(view):
        raise _ends_early(view)
    header = Header(view[:length])
    return SignedFile(header, crypto.digest(header.digest_algorithm, view, header.signature_cut), len(view))


def looks_signed(data):
    """Whether the bytes start like a signed file. No configuration in plain text starts so."""
    return len(data) > 0 and data[0] == tlv.VERSION


def _ends_early(view):
    """The Malformed for a file that ends inside its header."""
    tlv.header_length(view)  # may raise a Malformed that is more precise
    return Malformed("the file ends inside its header", tlv.HEADERLENGTH, 5)


class SignedFileSink:
    """Takes a signed file in blocks: begin(size or None), then write(block) for each block, then finish(), which returns the
    SignedFile. begin() may be called again when the file starts over.

    limit: bytes of the file. body: a sink with begin(size or None) and write(block) for the bytes after the header, or None to
    drop them. The receiver must not use these bytes before the file is accepted."""

    def __init__(self, crypto, limit, body=None):
        self._crypto = crypto
        self._limit = limit
        self._body = body
        self._buffer = bytearray(HEADER_LIMIT)
        self._stream = None
        self.begin(None)

    def begin(self, size):
        """A file starts. size: bytes, None if the server did not announce it. Raises Refused `too-large`."""
        self.close()
        self._have = 0  # bytes of the header in the buffer
        self._header_length = None
        self._header = None
        self._size = 0
        if size is not None and size > self._limit:
            raise too_large(size, self._limit)

    def write(self, block):
        """The next bytes (a memoryview). Raises Refused (`too-large`, `malformed`, `unsupported`), and what `body` raises."""
        if not len(block):
            return
        self._size += len(block)
        if self._size > self._limit:
            raise too_large(self._size, self._limit)
        if self._header is None:
            taken = self._fill_header(block)
            if self._header is None:
                return
            block = block[taken:]
        if len(block):  # bytes after the header
            self._stream.update(block)
            if self._body is not None:
                self._body.write(block)

    def _fill_header(self, block):
        """Take the bytes of `block` that belong to the header. Returns their number."""
        taken = min(len(block), HEADER_LIMIT - self._have)
        self._buffer[self._have : self._have + taken] = block[:taken]
        before = self._have
        self._have += taken
        if self._header_length is None:
            if self._have < 10 and self._buffer[0] == tlv.VERSION:
                return taken
            self._header_length = _announced_length(self._buffer, self._have)
        if self._have < self._header_length:
            return taken
        self._have = self._header_length
        whole = memoryview(self._buffer)[: self._header_length]
        self._header = header = Header(whole)
        cut, size = header.signature_cut
        self._stream = self._crypto.digest_stream(header.digest_algorithm)
        self._stream.update(whole[:cut])
        self._stream.update(whole[cut + size :])
        if self._body is not None:
            self._body.begin(None)  # the receiver can look at self.header from now on
        return self._header_length - before

    @property
    def header(self):
        """The Header, or None while it is incomplete."""
        return self._header

    def finish(self):
        """The file has ended. Returns its SignedFile. Raises Malformed if the header is incomplete."""
        if self._header is None:
            raise _ends_early(memoryview(self._buffer)[: self._have])
        digest = self._stream.digest()
        self._stream = None
        return SignedFile(self._header, digest, self._size)

    def header_bytes(self):
        """The bytes of the header as they came, padding included: a memoryview that is valid until the next begin()."""
        return memoryview(self._buffer)[: self._header_length]

    def close(self):
        """Free the running digest. The sink can begin() again afterwards."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _announced_length(buffer, have):
    """The header's length (bytes) that the first bytes announce. It is checked against HEADER_LIMIT, but not against the size
    of the file. Raises Malformed."""
    if have >= 10 and buffer[0] == tlv.VERSION and tlv.u16(buffer, 1) == 2:
        length = tlv.u16(buffer, 8)
        check_limit(length)
        if buffer[5] == tlv.HEADERLENGTH and tlv.u16(buffer, 6) == 2 and length >= 10:
            return length
    if have and buffer[0] == tlv.VERSION and tlv.u16(buffer, 1) != 2:
        raise Malformed("VERSION must be 2 bytes", tlv.VERSION, 0)
    return tlv.header_length(memoryview(buffer)[:have])
