# SPDX-License-Identifier: MIT
"""libphonetrust for tests that call every function directly: cffi reads native/phonetrust.h and phonetrust_tls.h."""

import platform
import re
from pathlib import Path

import cffi

ROOT = Path(__file__).resolve().parents[3]
HEADERS = [ROOT / "native" / name for name in ("phonetrust.h", "phonetrust_tls.h")]
BUILD = ROOT / "build" / "native"

ALGORITHMS = {"sha1": 1, "sha256": 2, "sha512": 3, "sha384": 4}
ROOM = 4096


def header_text():
    """Both headers, one after the other."""
    return "".join(path.read_text() for path in HEADERS)


def declarations():
    """The headers as cffi reads them: without the preprocessor's lines and PHONETRUST_API."""
    text = re.sub(r"/\*.*?\*/", "", header_text(), flags=re.S)
    text = re.sub(r'extern "C" \{|^\}$', "", text, flags=re.M)
    return re.sub(r"^#.*$", "", text, flags=re.M).replace("PHONETRUST_API", "")


def constants():
    """The headers' numbers by name, without PHONETRUST_."""
    found = re.findall(r"^#define PHONETRUST_(\w+) \(?(-?\w+)\)?", header_text(), flags=re.M)
    return {name: int(value, 0) for name, value in found if re.fullmatch(r"-?(0x)?[0-9A-Fa-f]+", value)}


class Library:
    """The functions of the library for this machine; buffers made here, lengths taken from their arguments."""

    def __init__(self):
        self.ffi = cffi.FFI()
        self.ffi.cdef(declarations())
        self.c = self.ffi.dlopen(str(BUILD / platform.machine() / "libphonetrust.so"))
        self.numbers = constants()

    def error(self, result):
        """The name of a result below 0."""
        return self.ffi.string(self.c.phonetrust_error_name(result)).decode()

    def _written(self, call):
        out = self.ffi.new("uint8_t[]", ROOM)
        count = call(out)
        return self.error(count) if count < 0 else bytes(self.ffi.buffer(out, count))

    def certificate(self, der):
        """The fields by name as bytes or number; the error's name where it is refused."""
        names = (
            "issuer", "subject", "serial", "public_key", "record_key", "signature", "not_before", "not_after",
            "signature_algorithm",
        )  # fmt: skip
        fields = self.ffi.new("uint32_t[20]")
        result = self.c.phonetrust_certificate(der, len(der), fields, 20)
        if result < 0:
            return self.error(result)
        found = {name: der[fields[2 * i] : fields[2 * i] + fields[2 * i + 1]] for i, name in enumerate(names)}
        return {**found, "key_kind": ("other", "rsa", "ec")[fields[18]], "key_bits": fields[19]}

    def verify(self, certificate, algorithm, digest, signature):
        result = self.c.phonetrust_verify(
            certificate, len(certificate), ALGORITHMS[algorithm], digest, len(digest), signature, len(signature)
        )
        return self.error(result)

    def make_key(self, kind, bits):
        null = self.ffi.NULL
        number = {"rsa": 1, "ec": 2}[kind]
        return self._written(lambda out: self.c.phonetrust_make_key(number, bits, null, null, out, ROOM))

    def public_key(self, private_key):
        return self._written(lambda out: self.c.phonetrust_public_key(private_key, len(private_key), out, ROOM))

    def sign(self, private_key, algorithm, digest):
        """algorithm None: a bare digest."""
        null = self.ffi.NULL
        number = ALGORITHMS[algorithm] if algorithm else 0
        return self._written(
            lambda out: self.c.phonetrust_sign(
                private_key, len(private_key), number, digest, len(digest), null, null, out, ROOM
            )
        )

    def sign_tls(self, private_key, scheme, algorithm, digest, capacity=ROOM):
        """scheme: a number of PHONETRUST_RSA_PKCS1, _RSA_PSS, _ECDSA."""
        null = self.ffi.NULL
        return self._written(
            lambda out: self.c.phonetrust_sign_tls(
                private_key, len(private_key), scheme, ALGORITHMS[algorithm], digest, len(digest), null, null, out,
                capacity,
            )
        )  # fmt: skip

    def unwrap_key(self, private_key, wrapped, length):
        null = self.ffi.NULL
        out = self.ffi.new("uint8_t[]", length)
        result = self.c.phonetrust_unwrap_key(
            private_key, len(private_key), wrapped, len(wrapped), null, null, out, length
        )
        return self.error(result) if result < 0 else bytes(out)

    def decrypt(self, key, iv, data, piece):
        """Decrypt in pieces of this many bytes."""
        state = self.ffi.new("uint8_t[16]", iv)
        plain = b""
        for offset in range(0, len(data), piece):
            part = data[offset : offset + piece]
            out = self.ffi.new("uint8_t[]", len(part))
            assert self.c.phonetrust_decrypt(key, len(key), state, part, len(part), out) == 0
            plain += bytes(out)
        return plain

    def header_index(self, data, capacity=ROOM):
        """("ok", rows) or (error, tag, offset)."""
        return self._index(lambda rows, fault: self.c.phonetrust_header_index(data, len(data), rows, capacity, fault))

    def record_index(self, data, start, capacity=ROOM):
        return self._index(
            lambda rows, fault: self.c.phonetrust_record_index(data, len(data), start, rows, capacity, fault)
        )

    def _index(self, call):
        rows, fault = self.ffi.new("uint32_t[]", 3 * ROOM), self.ffi.new("uint32_t[2]")
        count = call(rows, fault)
        if count < 0:
            return (self.error(count), fault[0], fault[1])
        flat = self.ffi.unpack(rows, 3 * count) if count else []
        return ("ok", list(zip(flat[::3], flat[1::3], flat[2::3], strict=True)))

    def check_records(self, data, start, capacity=600):
        """("ok", rows of 16) or (error, tag, offset)."""
        rows, fault = self.ffi.new("uint32_t[]", 16 * capacity), self.ffi.new("uint32_t[2]")
        count = self.c.phonetrust_check_records(data, len(data), start, rows, capacity, fault)
        if count < 0:
            return (self.error(count), fault[0], fault[1])
        return ("ok", [self.ffi.unpack(rows + 16 * i, 16) for i in range(count)])
