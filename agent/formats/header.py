# SPDX-License-Identifier: MIT
"""The header that trust lists and signed files share (docs/spec/formats.md, 'Header')."""

from agent.errors import Malformed, Unsupported
from agent.formats import names, tlv

#: Value of DIGESTALGORITHM -> name of the digest. 2 is [inferred]; the others are [seen].
DIGESTS = {1: "sha1", 2: "sha256", 3: "sha512"}
#: Name of a digest -> its bytes.
DIGEST_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}
#: Value of SIGNATUREMODULUS -> bits of the RSA modulus.
MODULUS_BITS = {0: 512, 1: 1024, 2: 2048, 3: 4096}
SIGNATURE_RSA = 0  # the only known value of SIGNATUREALGORITHM
#: Bytes; a bound for memory. A header with the longest names and a 4096-bit signature has less than 2,500 bytes.
HEADER_LIMIT = 8192

# The tags that a verifiable file must have. SIGNERVERSION and TIMESTAMP may be missing.
_NEEDED = (
    tlv.SIGNERID,
    tlv.SIGNERNAME,
    tlv.SERIALNUMBER,
    tlv.CANAME,
    tlv.SIGNATUREINFO,
    tlv.DIGESTALGORITHM,
    tlv.SIGNATUREALGOINFO,
    tlv.SIGNATUREALGORITHM,
    tlv.SIGNATUREMODULUS,
    tlv.SIGNATURE,
    tlv.FILENAME,
)
_ENCRYPTION_NEEDED = (
    tlv.IVINFO,
    tlv.IV,
    tlv.CIPHERPADDING,
    tlv.KEYINFO,
    tlv.KEYSIZE,
    tlv.KEY,
    tlv.PLAINDIGESTALGORITHM,
    tlv.PLAINDIGEST,
)
#: Tag -> the only size (bytes) that its value may have.
_SIZES = {
    tlv.VERSION: 2,
    tlv.SIGNERVERSION: 2,
    tlv.DIGESTALGORITHM: 1,
    tlv.SIGNATUREALGORITHM: 1,
    tlv.SIGNATUREMODULUS: 1,
    tlv.TIMESTAMP: 4,
    tlv.IV: 16,
    tlv.CIPHERPADDING: 2,
    tlv.KEYSIZE: 2,
    tlv.KEYALGORITHM: 1,
    tlv.PLAINDIGESTALGORITHM: 1,
}


class Encryption:
    """Tags 16 to 27 of an encrypted file. iv: 16 bytes. padding: the number of padding bytes at the end of the plaintext. key:
    the wrapped AES key. digest_algorithm, digest: of the plaintext without its padding."""

    def __init__(self, iv, padding, key, digest_algorithm, digest):
        self.iv = iv
        self.padding = padding
        self.key = key
        self.digest_algorithm = digest_algorithm
        self.digest = digest


class Header:
    """A header that was read completely: every value has the right size, and every text has its NUL.

    data: the bytes of a file, at least its whole header. Raises Malformed and Unsupported.
    length: bytes, padding included. version, signer_version: (major, minor); signer_version may be None. subject, issuer:
    text as written. serial: bytes without leading zeros. digest_algorithm: "sha1", "sha256" or "sha512". signature: bytes.
    signature_cut: (offset, length) of the SIGNATURE TLV, which the signature does not cover (P1). filename: text. timestamp:
    seconds since 1970, or None. encryption: Encryption, or None."""

    def __init__(self, data):
        self.length = tlv.header_length(data)
        check_limit(self.length)
        found = {}
        for tag, offset, length in tlv.header_tlvs(data):
            if tag in tlv.HEADER_NAMES:
                found[tag] = (offset, length)
                size = _SIZES.get(tag)
                if size is not None and length != size:
                    raise _wrong(tag, offset, "must be %d bytes, not %d" % (size, length))
        self._found = found
        self._data = data
        for tag in _NEEDED:
            if tag not in found:
                raise Malformed("the header has no %s" % tlv.HEADER_NAMES[tag], tag)
        offset = found[tlv.VERSION][0]
        self.version = (data[offset], data[offset + 1])
        self.signer_version = None
        if tlv.SIGNERVERSION in found:
            offset = found[tlv.SIGNERVERSION][0]
            self.signer_version = (data[offset], data[offset + 1])
        self.subject = self._text(tlv.SIGNERNAME)
        self.issuer = self._text(tlv.CANAME)
        self.filename = self._text(tlv.FILENAME)
        offset, size = found[tlv.SERIALNUMBER]
        self.serial = names.serial_bytes(data[offset : offset + size])
        self.timestamp = None
        if tlv.TIMESTAMP in found:
            offset = found[tlv.TIMESTAMP][0]
            self.timestamp = int.from_bytes(bytes(data[offset : offset + 4]), "big")
        self._read_signature()
        self.encryption = self._read_encryption() if tlv.ENCRYPTIONINFO in found else None
        self._data = None  # the caller may use the buffer again

    def _text(self, tag):
        offset, size = self._found[tag]
        return tlv.text(self._data, tag, offset, size)

    def _digest_name(self, tag):
        offset = self._found[tag][0]
        name = DIGESTS.get(self._data[offset])
        if name is None:
            raise _wrong(tag, offset, "names the unknown digest %d" % self._data[offset])
        return name

    def _read_signature(self):
        data = self._data
        self.digest_algorithm = self._digest_name(tlv.DIGESTALGORITHM)
        offset = self._found[tlv.SIGNATUREALGORITHM][0]
        if data[offset] != SIGNATURE_RSA:
            what = "SIGNATUREALGORITHM names the unknown signature algorithm %d" % data[offset]
            raise Unsupported(what, tlv.SIGNATUREALGORITHM, offset - 3)
        modulus = data[self._found[tlv.SIGNATUREMODULUS][0]]
        offset, size = self._found[tlv.SIGNATURE]
        if modulus not in MODULUS_BITS:
            raise _wrong(tlv.SIGNATUREMODULUS, self._found[tlv.SIGNATUREMODULUS][0], "is the unknown size %d" % modulus)
        if size != MODULUS_BITS[modulus] // 8:
            raise _wrong(tlv.SIGNATURE, offset, "is not as long as a modulus of %d bits" % MODULUS_BITS[modulus])
        self.signature = bytes(data[offset : offset + size])
        self.signature_cut = (offset - 3, size + 3)

    def _read_encryption(self):
        data, found = self._data, self._found
        for tag in _ENCRYPTION_NEEDED:
            if tag not in found:
                raise Malformed("the header of an encrypted file has no %s" % tlv.HEADER_NAMES[tag], tag)
        algorithm = self._digest_name(tlv.PLAINDIGESTALGORITHM)
        offset, size = found[tlv.PLAINDIGEST]
        if size != DIGEST_SIZES[algorithm]:
            raise _wrong(tlv.PLAINDIGEST, offset, "must be %d bytes, not %d" % (DIGEST_SIZES[algorithm], size))
        digest = bytes(data[offset : offset + size])
        offset, size = found[tlv.KEY]
        bits = tlv.u16(data, found[tlv.KEYSIZE][0])
        if size == 0 or bits != size * 8:
            raise _wrong(tlv.KEY, offset, "is %d bytes where KEYSIZE says %d bits" % (size, bits))
        key = bytes(data[offset : offset + size])
        offset = found[tlv.IV][0]
        iv = bytes(data[offset : offset + 16])
        return Encryption(iv, tlv.u16(data, found[tlv.CIPHERPADDING][0]), key, algorithm, digest)


def check_limit(length):
    """Raises Malformed for a header of more than HEADER_LIMIT bytes."""
    if length > HEADER_LIMIT:
        raise Malformed("a header of %d bytes (the limit is %d)" % (length, HEADER_LIMIT), tlv.HEADERLENGTH, 5)


def _wrong(tag, value_offset, what):
    return Malformed("%s %s" % (tlv.HEADER_NAMES[tag], what), tag, value_offset - 3)
