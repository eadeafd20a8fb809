# SPDX-License-Identifier: MIT
"""One question to TVS against a bare handshake with the same server, on each Python; and what the second question within
its TTL costs.

The bare handshake is made by the phone's own HAL: connect, handshake, look at the certificate, accept, close. The server is
the lab's TVS in a process of its own and without the lab's ledger of phones. The limit holds for the phone's CPU time; the
time that passes is for information, as it has the server's in it, and one round trip of the network more."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from host_tools.bench.measure import Line
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.servers import tvs
from host_tools.lab.servers.stream import StreamServer

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(__file__).with_name("tvs_client.py")
LIMIT = 1.2
# name -> (how it is started, how many rounds, MicroPython's processor)
PYTHONS = {
    "CPython": ([sys.executable], 100, None),
    "MicroPython": ([ROOT / "host_tools/setup/micropython", "x86_64"], 100, "x86_64"),
    "MicroPython arm64, emulated": ([ROOT / "host_tools/setup/micropython", "aarch64"], 30, "aarch64"),
}


def serve(folder, line):
    """TVS of the cluster in `folder`: its port goes out on the pipe, then, for each word that comes in, how many asked."""
    cluster = Cluster(folder)
    identity, database = cluster.state.identities["tvs-1"], cluster.vouches_for()
    asked = []

    def answer(stream, client):
        tvs.answer_stream(stream, lambda: database, asked.append)

    server = StreamServer("127.0.0.1", 0, "tvs", lambda: identity, answer, lambda client, text: None)
    line.send(server.port)
    while line.recv():
        line.send(len(asked))


@contextmanager
def server(folder):
    """(port, a function that tells how many questions have come)."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, theirs), daemon=True)
    process.start()

    def asked():
        ours.send(True)
        return ours.recv()

    try:
        yield ours.recv(), asked
    finally:
        ours.send(False)
        process.join()


def measured(command, rounds, architecture, arguments):
    """What the program printed: [CPU ms of a handshake, of a question, ms of a handshake, of a question]."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if architecture:
        environment["MICROPYPATH"] = str(ROOT)
        environment["PHONETRUST_LIBRARY"] = str(ROOT / "build/native" / architecture / "libphonetrust.so")
    done = subprocess.run(
        [*command, PROGRAM, str(arguments[0]), str(rounds), *arguments[1:]],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{PROGRAM.name}: {done.stdout}{done.stderr}")
    return [float(number) for number in done.stdout.split()]


def lines():
    """A TVS on loopback, asked about the application server's certificate."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster.create(Path(folder) / "cluster")
        files = []
        for name, certificate in (("tvs", cluster.certificate("tvs", 1)), ("asked", cluster.certificate("tomcat"))):
            files.append(Path(folder) / f"{name}.der")
            files[-1].write_bytes(certificate)
        with server(cluster.path) as (port, asked):
            repeated = 0
            for name, (command, rounds, architecture) in PYTHONS.items():
                before = asked()
                numbers = measured(command, rounds, architecture, (port, *files))
                repeated += asked() - before - (rounds + 1)
                yield Line(
                    f"TVS: CPU of one question, {name}", numbers[1], "ms", numbers[0], LIMIT,
                    f"against a bare handshake with the same server; time: {numbers[3]:.2f} to {numbers[2]:.2f} ms",
                )  # fmt: skip
    yield Line("TVS: the same question within its TTL", repeated, "requests", None, 0, "that reach the server")
