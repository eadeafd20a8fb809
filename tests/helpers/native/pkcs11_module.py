# SPDX-License-Identifier: MIT
"""The test program of the PKCS#11 module (tests/native/pkcs11/scripted.c) as an object: a command, its answer."""

import os
import subprocess

from tests.helpers.native.library import ROOT

PROGRAMS = ROOT / "build" / "native" / "pkcs11"
VARIANTS = {
    "plain": [PROGRAMS / "scripted"],
    "valgrind": ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full", PROGRAMS / "scripted"],
    "sanitize": [PROGRAMS / "scripted-sanitize"],
}
OK = 0
ARGUMENTS_BAD = 0x7
CANT_LOCK = 0xA
ATTRIBUTE_SENSITIVE, ATTRIBUTE_TYPE_INVALID = 0x11, 0x12
DATA_INVALID, DATA_LEN_RANGE = 0x20, 0x21
DEVICE_ERROR, DEVICE_REMOVED = 0x30, 0x32
FUNCTION_NOT_SUPPORTED = 0x54
KEY_HANDLE_INVALID, KEY_TYPE_INCONSISTENT = 0x60, 0x63
MECHANISM_INVALID, MECHANISM_PARAM_INVALID = 0x70, 0x71
OPERATION_ACTIVE, OPERATION_NOT_INITIALIZED = 0x90, 0x91
SESSION_COUNT, PARALLEL_NOT_SUPPORTED, SESSION_HANDLE_INVALID, TOKEN_WRITE_PROTECTED = 0xB1, 0xB4, 0xB3, 0xE2
USER_PIN_NOT_INITIALIZED = 0x102
BUFFER_TOO_SMALL = 0x150
NOT_INITIALIZED, ALREADY_INITIALIZED = 0x190, 0x191
FUNCTION_REJECTED = 0x200

CERTIFICATE, PUBLIC_KEY, PRIVATE_KEY = 1, 2, 3
CLASS, TOKEN, LABEL, VALUE, ISSUER, SERIAL_NUMBER, SUBJECT, ID = 0, 1, 3, 0x11, 0x81, 0x82, 0x101, 0x102
KEY_TYPE, SENSITIVE, SIGN, DECRYPT, UNWRAP, EXTRACTABLE = 0x100, 0x103, 0x108, 0x105, 0x107, 0x162
MODULUS, PUBLIC_EXPONENT, PRIVATE_EXPONENT, PRIME_1, EC_PARAMS, EC_POINT = 0x120, 0x122, 0x123, 0x124, 0x180, 0x181
START_DATE, END_DATE, PUBLIC_KEY_INFO = 0x110, 0x111, 0x129

RSA_PKCS, RSA_PSS, ECDSA = 0x1, 0xD, 0x1041
SHA_RSA_PKCS = {"sha256": 0x40, "sha384": 0x41, "sha512": 0x42}
SHA_RSA_PSS = {"sha256": 0x43, "sha384": 0x44, "sha512": 0x45}
SHA_ECDSA = {"sha256": 0x1044, "sha384": 0x1045, "sha512": 0x1046}
PSS = {"sha1": (0x220, 1, 20), "sha256": (0x250, 2, 32), "sha384": (0x260, 3, 48), "sha512": (0x270, 4, 64)}


class Module:
    """One process with the module. Every call sends a line and gives (result, what else it printed)."""

    def __init__(self, socket, variant="plain"):
        environment = {**os.environ, "PHONETRUST_SOCKET": str(socket)}
        self._process = subprocess.Popen(
            [str(part) for part in VARIANTS[variant]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment, text=True, bufsize=1,
        )  # fmt: skip

    def do(self, *words):
        """One command: (result, rest of its line)."""
        self._process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the program ended at {words}: {self._process.stderr.read()}"
        result, _, rest = line.rstrip("\n").partition(" ")
        return int(result, 16), rest

    def __call__(self, *words):
        """One command's result."""
        return self.do(*words)[0]

    def ready(self):
        """C_Initialize and a session."""
        assert self("init") == OK and self("open") == OK
        return self

    def find(self, kind=-1, label=""):
        """The number of objects of a class; the first is the current object from then on."""
        result, count = self.do("find", kind, label)
        assert result == OK
        return int(count)

    def get(self, kind):
        """An attribute's bytes, or the error's number."""
        result, text = self.do("get", kind)
        return bytes.fromhex(text) if result == OK else result

    def sign(self, mechanism, data, *parameter):
        """A signature, or the number of the first error."""
        result = self("start", hex(mechanism), *parameter)
        if result != OK:
            return result
        result, text = self.do("sign", data.hex() or "-")
        return bytes.fromhex(text) if result == OK else result

    def close(self):
        """End the program, and check that it, valgrind and the sanitizers report nothing."""
        self._process.stdin.close()
        assert self._process.wait(60) == 0, self._process.stderr.read()
        errors = self._process.stderr.read()
        assert errors == "", errors
