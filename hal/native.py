# SPDX-License-Identifier: MIT
"""The crypto part of the HAL by libphonetrust, on both Pythons. It knows the C interface of native/phonetrust.h.

It is given a *binding*, which knows how this Python calls C. declare(functions) declares all of FUNCTIONS. After that,
function(name, result, arguments) returns a callable for the C function phonetrust_<name>. Letters stand for the kinds of the
arguments, in C's order, and of the result:

    i  int        n  size_t       h  void * that C returned (opaque; a result NULL is None)
    b  bytes to read: any buffer  o  a writable buffer
    z  a pointer that is always NULL: pass None
    s  const char *, only as a result: text             v  nothing, only as a result

The callable checks the number of its arguments and the kind of each (TypeError, ValueError) before it calls C, because
MicroPython's ffi checks nothing and would crash. This module makes sure that each buffer is as long as the length that is
passed with it.
"""

from array import array

ABI = 1
ALGORITHMS = {"sha1": 1, "sha256": 2, "sha512": 3, "sha384": 4}
DIGEST_SIZE = 64
DIGEST_NUMBERS = {20: 1, 32: 2, 64: 3, 48: 4}
SCHEMES = ("rsa-bare", "ecdsa")
TLS_SCHEMES = {"rsa-pkcs1": 1, "rsa-pss": 2, "ecdsa": 3}
EC_IDENTIFIER = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"  # id-ecPublicKey (RFC 5480) in DER
PRIVATE_KEY_SIZE = 2560
PUBLIC_KEY_SIZE = 640
SIGNATURE_SIZE = 512

ERROR_SPACE = -4
ERROR_SIGNATURE = -6
ERROR_MEMORY = -7

OUT_OF_MEMORY = 12  # ENOMEM
WRONG_FORMAT = 8  # ENOEXEC

FUNCTIONS = (
    ("abi", "i", ""),
    ("error_name", "s", "i"),
    ("digest", "i", "ibnnnon"),
    ("digest_new", "h", "i"),
    ("digest_update", "i", "hbn"),
    ("digest_final", "i", "hon"),
    ("digest_free", "v", "h"),
    ("verify", "i", "bnibnbn"),
    ("certificate", "i", "bnon"),
    ("check_records", "i", "bnnono"),
    ("make_key", "i", "iizzon"),
    ("public_key", "i", "bnon"),
    ("sign", "i", "bnibnzzon"),
    ("sign_tls", "i", "bniibnzzon"),
    ("unwrap_key", "i", "bnbnzzon"),
    ("decrypt", "i", "bnobno"),
)

CERTIFICATE_FIELDS = 20
KEY_KINDS = ("other", "rsa", "ec")
# The columns of a row in C are those of RecordColumn in hal/__init__.pyi, so rows are passed on as they are.
# tests/repository/test_records.py checks that.
RECORD_ROW = 16
# A trust list of 64 KiB rarely has more records. A longer list is read again with the caller's limit.
FIRST_ROWS = 64


class Certificate:
    """The fields of one X.509 certificate, as `hal/__init__.py` lists them. They are slices of its DER."""

    def __init__(self, der, fields):
        def part(index):
            return der[fields[index] : fields[index] + fields[index + 1]]

        self.issuer = part(0)
        self.subject = part(2)
        self.serial = part(4)
        self.public_key = part(6)
        self.record_key = part(8)
        self.signature = part(10)
        self.not_before = _time(part(12))
        self.not_after = _time(part(14))
        self.signature_algorithm = _object_identifier(part(16))
        self.key_kind = KEY_KINDS[fields[18]]
        self.key_bits = fields[19]


class NativeCrypto:
    """The crypto part by libphonetrust. Raises OSError (ENOEXEC) if the library has another interface than this module."""

    name = "libphonetrust"

    def __init__(self, binding):
        binding.declare(FUNCTIONS)
        spoken = binding.function(*FUNCTIONS[0])()
        if spoken != ABI:
            raise OSError(WRONG_FORMAT, "libphonetrust has interface %d, this program needs %d" % (spoken, ABI))
        for function in FUNCTIONS[1:]:
            setattr(self, "_" + function[0], binding.function(*function))

    def digest(self, algorithm, data, cut=None):
        """The digest of `data` without the slice cut=(offset, length). Raises ValueError if the algorithm is unknown, or the cut
        lies outside of `data`."""
        offset, length = cut or (0, 0)
        out = bytearray(DIGEST_SIZE)
        count = self._digest(_number(algorithm), data, len(data), offset, length, out, DIGEST_SIZE)
        self._check(count, "digest")
        return bytes(out[:count])

    def digest_stream(self, algorithm):
        """A DigestStream. The caller must call close() if it does not call digest(). Raises ValueError if the algorithm is
        unknown, and OSError without memory.
        """
        handle = self._digest_new(_number(algorithm))
        if handle is None:
            raise OSError(OUT_OF_MEMORY)
        return DigestStream(self, handle)

    def verify(self, certificate_der, algorithm, digest, signature):
        """Whether `signature` over `digest` verifies with the certificate's key.

        Raises ValueError if the certificate is unreadable, its key is not supported, or the digest has the wrong size. The
        library also verifies with RSA keys of 512 to 1023 bits, which the trust rules refuse (docs/spec/rules.md, K1).
        """
        result = self._verify(
            certificate_der, len(certificate_der), _number(algorithm), digest, len(digest), signature, len(signature)
        )
        if result == ERROR_SIGNATURE:
            return False
        self._check(result, "certificate or digest")
        return True

    def certificate(self, der):
        """The fields of a certificate. Raises ValueError if `der` is not exactly one DER certificate."""
        der = bytes(der)
        fields = _rows(CERTIFICATE_FIELDS)
        self._check(self._certificate(der, len(der), fields, CERTIFICATE_FIELDS), "certificate")
        return Certificate(der, fields)

    def check_records(self, data, start, limit):
        """Read and check all records from the offset `start` on, at most `limit`, by phonetrust_check_records.

        Returns (number of records or a negative error, rows of RECORD_ROW numbers each, tag, offset). tag and offset say where
        the fault is; they are 0 without a fault.
        """
        room = min(limit, FIRST_ROWS)
        while True:
            rows, fault = _rows(room * RECORD_ROW), _rows(2)
            count = self._check_records(data, len(data), start, rows, room, fault)
            if count != ERROR_SPACE or room == limit:
                return count, rows, fault[0], fault[1]
            room = limit

    def make_key(self, kind, bits):
        """A new key: (private key DER, SubjectPublicKeyInfo DER). "rsa" of 1024 to 4096 bits, which takes seconds on a board, or
        "ec" of 256, 384 or 521 bits. Raises ValueError for another kind or size.
        """
        number = KEY_KINDS.index(kind) if kind in KEY_KINDS[1:] else 0
        out = bytearray(PRIVATE_KEY_SIZE)
        count = self._make_key(number, bits, None, None, out, len(out))
        self._check(count, "%s key of %d bits" % (kind, bits))
        private_key = bytes(out[:count])
        for index in range(len(out)):
            out[index] = 0
        return private_key, self.public_key(private_key)

    def public_key(self, private_key):
        """The SubjectPublicKeyInfo (DER) of a private key. Raises ValueError if the key is unreadable."""
        out = bytearray(PUBLIC_KEY_SIZE)
        count = self._public_key(private_key, len(private_key), out, len(out))
        self._check(count, "private key")
        return bytes(out[:count])

    def sign(self, private_key, scheme, digest):
        """A signature over a digest, "rsa-bare" (without a DigestInfo) or "ecdsa" (DER). Raises ValueError if the key cannot be
        read or is not for this scheme, or the digest has the wrong size."""
        if scheme not in SCHEMES:
            raise ValueError("unknown signature scheme %r" % (scheme,))
        algorithm = 0
        if scheme == "ecdsa":
            if len(digest) not in DIGEST_NUMBERS:
                raise ValueError("a digest of %d bytes" % len(digest))
            algorithm = DIGEST_NUMBERS[len(digest)]
        # The library looks only at the key, so an RSA key would sign although ECDSA is wanted.
        if (EC_IDENTIFIER in self.public_key(private_key)[:32]) != (scheme == "ecdsa"):
            raise ValueError("the key is not for " + scheme)
        out = bytearray(SIGNATURE_SIZE)
        count = self._sign(private_key, len(private_key), algorithm, digest, len(digest), None, None, out, len(out))
        self._check(count, "signing")
        return bytes(out[:count])

    def sign_tls(self, private_key, scheme, algorithm, digest):
        """A signature for a TLS handshake, over a digest of exactly this algorithm (`hal/__init__.py`). Raises ValueError."""
        if scheme not in TLS_SCHEMES:
            raise ValueError("unknown signature scheme %r" % (scheme,))
        out = bytearray(SIGNATURE_SIZE)
        count = self._sign_tls(
            private_key, len(private_key), TLS_SCHEMES[scheme], _number(algorithm), digest, len(digest),
            None, None, out, len(out),
        )  # fmt: skip
        self._check(count, "signing")
        return bytes(out[:count])

    def unwrap_key(self, private_key, wrapped, length):
        """The AES key of `length` bytes (16, 24, 32) that was wrapped for an RSA key by RSAES-PKCS1-v1_5.

        A wrong private key or wrong padding gives random bytes and no error. Raises ValueError if the private key is
        unreadable or not RSA, or if `wrapped` is not as long as its modulus.
        """
        out = bytearray(length)
        result = self._unwrap_key(private_key, len(private_key), wrapped, len(wrapped), None, None, out, length)
        self._check(result, "wrapped key")
        return bytes(out)

    def decrypt_stream(self, key, iv):
        """A DecryptStream. Raises ValueError if key or iv has a wrong length."""
        return DecryptStream(self, key, iv)

    def _check(self, result, what):
        if result == ERROR_MEMORY:
            raise OSError(OUT_OF_MEMORY)
        if result < 0:
            raise ValueError("%s: %s" % (what, self._error_name(result)))


class DigestStream:
    """A running digest in C's memory. digest() and close() free it; close() may be called after digest(), and twice."""

    def __init__(self, crypto, handle):
        self._crypto = crypto
        self._handle = handle

    def update(self, data):
        """Add bytes (any buffer). Raises ValueError after digest() or close()."""
        if self._handle is None:
            raise ValueError("the digest has ended")
        self._crypto._digest_update(self._handle, data, len(data))

    def digest(self):
        """End the stream and return the digest. Raises ValueError if it has ended already."""
        if self._handle is None:
            raise ValueError("the digest has ended")
        out = bytearray(DIGEST_SIZE)
        count = self._crypto._digest_final(self._handle, out, DIGEST_SIZE)
        self.close()
        return bytes(out[:count])

    def close(self):
        """End the stream and free its memory."""
        if self._handle is not None:
            self._crypto._digest_free(self._handle)
            self._handle = None


class DecryptStream:
    """An AES-CBC decryption in pieces. The caller removes the padding."""

    def __init__(self, crypto, key, iv):
        if len(iv) != 16 or len(key) not in (16, 24, 32):
            raise ValueError("AES-CBC with a key of %d and an iv of %d bytes" % (len(key), len(iv)))
        self._crypto = crypto
        self._key = bytes(key)
        self._iv = bytearray(iv)

    def update(self, data):
        """Decrypt `data`, a bytearray of a multiple of 16 bytes, in place. Raises ValueError for another length."""
        result = self._crypto._decrypt(self._key, len(self._key), self._iv, data, len(data), data)
        self._crypto._check(result, "ciphertext")


def _number(algorithm):
    if algorithm not in ALGORITHMS:
        raise ValueError("unknown digest algorithm %r" % (algorithm,))
    return ALGORITHMS[algorithm]


def _rows(count):
    return array("I", bytes(4 * count))


def _time(text):
    # RFC 5280, 4.1.2.5: UTCTime until 2049, which has two digits of the year (50 and up mean 19YY), else GeneralizedTime.
    text = text.decode()
    if len(text) == 13:
        return ("19" if text[:2] >= "50" else "20") + text
    return text


def _object_identifier(content):
    # X.690, 8.19: base 128, the most significant group first. The first number has the first two arcs.
    arcs = []
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            if not arcs:
                first = min(value // 40, 2)
                arcs.append(str(first))
                value -= 40 * first
            arcs.append(str(value))
            value = 0
    return ".".join(arcs)
