# SPDX-License-Identifier: MIT
"""Records TLS handshakes for the C tests and the fuzzer: python -m tests.native.record_tls (wants gcc and openssl).

It writes the bytes that OpenSSL servers send to a client with the random bytes of fixed_random.h to tests/native/tls_recordings,
with the client's certificates and keys. When the client draws its random bytes in another order, for example after a new
version of mbedTLS, test_tls_replay.c fails and new recordings are needed.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hal.host.library import Binding, library_path
from hal.native_tls import Tls
from tests.helpers.tls.exchange import Wire, read, shake_hands, write
from tests.helpers.tls.identity import Identity, identity, make_key
from tests.helpers.tls.openssl_server import REQUEST, OpenSSLServer

HERE = Path(__file__).resolve().parent
OUT = HERE / "tls_recordings"
SHIM = """
#include <sys/types.h>
#include "fixed_random.h"
static uint64_t state;
void start_again(void) { state = 0; }
ssize_t getrandom(void *out, size_t length, unsigned flags) { fixed_random(&state, out, length); return length; }
"""
# name -> (key of the server, kind of client certificate, static RSA, options of the server)
RECORDINGS = {
    "tls13-rsa": ("rsa2048", None, False, ["-tls1_3"]),
    "tls13-retry-ec": ("ec256", "ec521", False, ["-tls1_3", "-groups", "P-521", "-verify", "1"]),
    "tls13-chacha": ("ec384", None, False, ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]),
    "tls13-most": ("rsa4096-chain", "rsa4096", False, ["-tls1_3", "-verify", "1"]),
    "tls12-ec": ("ec256", None, False, ["-tls1_2"]),
    "tls12-rsa": ("rsa2048", "ec521", False, ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384", "-verify", "1"]),
    "tls12-most": ("rsa4096-chain", "rsa4096", False, ["-tls1_2", "-verify", "1"]),
    "tls12-static": ("rsa2048", None, True, ["-tls1_2", "-cipher", "AES128-GCM-SHA256"]),
}  # fmt: skip


class Recorder(Wire):
    """A wire that keeps what came."""

    came = b""

    def receive(self):
        data = super().receive()
        self.came += data
        return data


def server_identity(kind):
    """The identity; "-chain": a certificate of nearly 8192 bytes with another one behind it, 15.5 KB in all."""
    if not kind.endswith("-chain"):
        return identity(kind)
    made = Identity(make_key(kind.removesuffix("-chain")), "long", 6700)
    return made


def record(tls, name):
    """One recording."""
    key, client, static_rsa, options = RECORDINGS[name]
    server = server_identity(key)
    pair = None
    if client:
        pair = [(OUT / f"client-{client}.{part}").read_bytes() for part in ("crt", "key")]
    with tempfile.NamedTemporaryFile(suffix=".pem") as chain:
        if key.endswith("-chain"):
            chain.write(server_identity(key).pem)
            chain.flush()
            options = [*options, "-cert_chain", chain.name]
        with OpenSSLServer(server, *options) as process:
            ctypes.CDLL(None).start_again()
            connection = tls.connect(pair, static_rsa=static_rsa)
            wire = Recorder(process.port, 20000)
            shake_hands(connection, wire)
            write(connection, wire, REQUEST)
            answer = read(connection, wire, 100000)
            assert connection.state == "ended" and answer.startswith(b"HTTP/1.0 200 ok"), name
            (OUT / name).write_bytes(wire.came)
            print(f"{name}: {len(wire.came)} bytes, {connection.facts()[7]} of them the handshake's")
            wire.close()
            connection.free()


def main():
    """All recordings; starts itself again with the shim in front of libc."""
    if "LD_PRELOAD" not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            shim = Path(folder) / "shim.so"
            subprocess.run(
                ["gcc", "-shared", "-fPIC", "-I", HERE, "-x", "c", "-", "-o", shim], input=SHIM, text=True, check=True
            )
            command = [sys.executable, "-m", "tests.native.record_tls"]
            return subprocess.run(command, env={**os.environ, "LD_PRELOAD": str(shim)}).returncode
    del os.environ["LD_PRELOAD"]  # not for the servers
    OUT.mkdir(exist_ok=True)
    for kind in {client for _, client, _, _ in RECORDINGS.values() if client}:
        made = identity(kind, "client")
        (OUT / f"client-{kind}.crt").write_bytes(made.certificate)
        (OUT / f"client-{kind}.key").write_bytes(made.key)
    tls = Tls(Binding(library_path()))
    tls.connect().free()  # makes the PSA core
    for name in RECORDINGS:
        record(tls, name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
