# SPDX-License-Identifier: MIT
"""Signatures with the phone's key: through PKCS#11, the socket and the agent, against libphonetrust alone."""

import contextlib
import ctypes
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hal.host import crypto
from host_tools.bench.measure import Line, medians
from host_tools.lab.model.keys import make_identity

ROOT = Path(__file__).resolve().parent.parent.parent
MODULE = ROOT / "build" / "native" / platform.machine() / "libphonetrust-pkcs11.so"
ROUNDS = 21
CALLS = 20
SERIAL_SESSION, CLASS, PRIVATE_KEY = 4, 0, 3
# Positions in CK_FUNCTION_LIST, counted from the first function.
INITIALIZE, FINALIZE, OPEN_SESSION, FIND_INIT, FIND, FIND_FINAL, SIGN_INIT, SIGN = 0, 1, 12, 26, 27, 28, 42, 43
KEYS = {
    "RSA-2048, PKCS#1 with SHA-256": (lambda: rsa.generate_private_key(65537, 2048), 0x40, "rsa-pkcs1", 2.0),
    "EC P-256, ECDSA with SHA-256": (lambda: ec.generate_private_key(ec.SECP256R1()), 0x1044, "ecdsa", None),
}


class Attribute(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_ulong), ("value", ctypes.c_void_p), ("length", ctypes.c_ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_ulong), ("parameter", ctypes.c_void_p), ("length", ctypes.c_ulong)]


class Module:
    """The PKCS#11 module in this process, with a session and the first private key."""

    def __init__(self, socket):
        os.environ["PHONETRUST_SOCKET"] = str(socket)
        table = ctypes.POINTER(ctypes.c_void_p)()
        ctypes.CDLL(str(MODULE)).C_GetFunctionList(ctypes.byref(table))
        self._table = table
        self._call(INITIALIZE, None)
        self._session, self._key, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong()
        self._call(OPEN_SESSION, 1, SERIAL_SESSION, None, None, ctypes.byref(self._session))
        private = ctypes.c_ulong(PRIVATE_KEY)
        wanted = Attribute(CLASS, ctypes.cast(ctypes.byref(private), ctypes.c_void_p), ctypes.sizeof(private))
        self._call(FIND_INIT, self._session, ctypes.byref(wanted), 1)
        self._call(FIND, self._session, ctypes.byref(self._key), 1, ctypes.byref(count))
        self._call(FIND_FINAL, self._session)

    def sign(self, mechanism, data):
        """One signature."""
        out, length = ctypes.create_string_buffer(512), ctypes.c_ulong(512)
        self._call(SIGN_INIT, self._session, ctypes.byref(Mechanism(mechanism, None, 0)), self._key)
        self._call(SIGN, self._session, data, len(data), out, ctypes.byref(length))
        return out.raw[: length.value]

    def close(self):
        """End it."""
        self._call(FINALIZE, None)

    def _call(self, index, *arguments):
        types = [ctypes.c_ulong if isinstance(value, int) else type(value) for value in arguments]
        types = [ctypes.c_void_p if value is None else kind for value, kind in zip(arguments, types, strict=True)]
        types = [ctypes.c_char_p if kind is bytes else kind for kind in types]
        prototype = ctypes.CFUNCTYPE(ctypes.c_ulong, *[_plain(kind) for kind in types])
        result = prototype(self._table[1 + index])(*arguments)
        if result != 0:
            raise RuntimeError(f"PKCS#11 function {index}: {result:#x}")


def _plain(kind):
    return kind if kind in (ctypes.c_ulong, ctypes.c_char_p, ctypes.c_void_p) else ctypes.c_void_p


@contextlib.contextmanager
def agent(key):
    """A phone on this PC whose maker gave it a certificate for `key`: the path of its socket."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "mic.pem").write_bytes(make_identity("CP-8861-SEP00270DC01C92", key).pem())
        (folder / "phone.json").write_text(json.dumps({"mac": "00270DC01C92", "sign_limit": 1 << 20}))
        socket = folder / "trust.sock"
        command = [sys.executable, "-m", "host_tools.cli.main", "phone", "--serve", "--socket", socket, "--settings"]
        process = subprocess.Popen(
            [*command, folder / "phone.json", "--state", folder / "state", "--mic", folder / "mic.pem"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 20
            while not socket.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the agent does not start")
                time.sleep(0.02)
            yield socket
        finally:
            process.terminate()
            process.wait()
            process.stdin.close()


def lines():
    """One line for each kind of key: time for one signature."""
    data = b"a handshake"
    digest = hashlib.sha256(data).digest()
    native = crypto("native")
    for name, (make, mechanism, scheme, limit) in KEYS.items():
        key = make()
        private = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        with agent(key) as socket:
            module = Module(socket)
            sides = [lambda: module.sign(mechanism, data), lambda: native.sign_tls(private, scheme, "sha256", digest)]  # noqa: B023
            through, alone = (seconds * 1e6 for seconds in medians(sides, ROUNDS, CALLS))
            module.close()
        note = f"{1e6 / through:,.0f} a second through PKCS#11, socket and agent; other: the library alone, {1e6 / alone:,.0f}"
        yield Line(f"signature, {name}", through, "us", alone, limit, note)
