# SPDX-License-Identifier: MIT
"""TLS: the CPU time of a handshake in MicroPython, by libphonetrust and by its own `tls`, and the memory of a connection."""

import os
import platform
import re
import resource
import statistics
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from host_tools.bench.measure import Line

ROOT = Path(__file__).resolve().parent.parent.parent
HANDSHAKES = 40
ROUNDS = 5
MEMORY_LIMIT = 64
# name -> (how openssl makes the key, what the server is told)
SERVERS = {
    "TLS 1.3, RSA 2048": (["rsa:2048"], ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"]),
    "TLS 1.3, P-256": (
        ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
    ),
    # With an RSA key MicroPython's own tls fails in TLS 1.2.
    "TLS 1.2, P-256": (
        ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    ),
}


@contextmanager
def server(key, options):
    """`openssl s_server` on a free port of loopback; the port."""
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "server.pem"
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-keyout", "-", "-subj", "/CN=bench", "-days", "2"],
            capture_output=True, check=True,
        )  # fmt: skip
        pem.write_bytes(made.stdout)
        # It ends when its standard input does, so that is a pipe which nobody writes to.
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pem, "-key", pem, "-www", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            for line in process.stdout:
                found = re.match(r"ACCEPT .*:(\d+)$", line.strip())
                if found:
                    yield int(found[1])
                    break
            else:
                raise RuntimeError("openssl s_server did not start")
        finally:
            process.kill()
            process.communicate()


def cpu(side, port, count):
    """CPU seconds of a MicroPython that makes `count` handshakes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [ROOT / "host_tools/setup/micropython", platform.machine(), ROOT / "host_tools/bench/handshake_client.py",
         side, str(port), str(count)],
        env={**os.environ, "MICROPYPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.stdout.strip() != str(count):
        raise RuntimeError(f"{side}: {done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def handshakes():
    """A line for each server."""
    for name, (key, options) in SERVERS.items():
        sides = {"ours": [], "theirs": []}
        with server(key, options) as port:
            for _ in range(ROUNDS):
                for side, taken in sides.items():
                    taken.append((cpu(side, port, HANDSHAKES) - cpu(side, port, 0)) / HANDSHAKES * 1000)
        yield Line(
            f"CPU of a handshake, {name}", statistics.median(sides["ours"]), "ms", statistics.median(sides["theirs"]),
            limit=1.0, note="MicroPython by libphonetrust; other: MicroPython by its own tls, the same `openssl s_server` and suite",
        )  # fmt: skip


def memory():
    """The most heap memory of a connection, as the C tests measure it with recorded handshakes."""
    program = ROOT / "build" / "native" / platform.machine() / "tests"
    prepared = ROOT / "build" / "native" / "tests" / ".prepared"
    subprocess.run(["make", "--silent", "-C", ROOT / "native", program, prepared], check=True)
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes"
        subprocess.run(
            [program, prepared.parent / "vectors", "tls_memory_of_a_connection_is_bounded"],
            env={**os.environ, "PHONETRUST_MEMORY_NOTES": str(notes)}, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        peaks = {name: int(peak) / 1024 for name, peak in (line.split() for line in notes.read_text().splitlines())}
    yield Line(
        "memory of a TLS connection at its peak", max(peaks.values()), "KB", limit=MEMORY_LIMIT,
        note=f"RSA 4096 on both sides, a chain of 16 KB; usual: {statistics.median(peaks.values()):.0f} KB",
    )  # fmt: skip


def lines():
    """All lines about TLS."""
    yield from handshakes()
    yield from memory()
