# SPDX-License-Identifier: MIT
"""The TFTP client as the phone runs it, MicroPython on arm64 with the board's HAL, against the real servers."""

import hashlib
import json
import os
import random
import subprocess

import pytest

from host_tools.lab.servers import daemons as tftp_daemons

SIZES = (0, 1, 511, 512, 513, 64 << 10, 3 << 20)
MICROPYTHON = tftp_daemons.ROOT / "host_tools/setup/micropython"
HEAP = "160k"  # for the interpreter, the program compiled on the spot, files of 3 MB: nothing is kept of them
MISSING = "ITLFile.tlv"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(folder, dict of name -> SHA-256)."""
    folder = tmp_path_factory.mktemp("tftp") / "files"
    folder.mkdir()
    digests = {}
    for size in SIZES:
        data = random.Random(size).randbytes(size)
        (folder / f"{size}.bin").write_bytes(data)
        digests[f"{size}.bin"] = hashlib.sha256(data).hexdigest()
    return folder, digests


def fetch(servers, names, limit=4 << 20, **settings):
    """What the MicroPython program says of each name."""
    order = {"servers": servers, "names": names, "limit": limit, "settings": settings}
    program = str(tftp_daemons.ROOT / "tests/helpers/servers/tftp_fetch.py")
    done = subprocess.run(
        [str(MICROPYTHON), "aarch64", "-X", f"heapsize={HEAP}", program],
        env={**os.environ, "MICROPYPATH": str(tftp_daemons.ROOT)},
        input=json.dumps(order),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(names), done.stdout
    return answers


@pytest.mark.parametrize("kind", (*tftp_daemons.ALL, tftp_daemons.TftpdHpaOnIpv6), ids=lambda kind: kind.__name__)
def test_files_arrive_whole(files, kind):
    folder, digests = files
    with kind(folder) as server:
        names = list(digests)
        for settings in ({}, {"options": False}):
            asked = [server.name(name) for name in [*names, MISSING]]
            *arrived, missing = fetch([server.address], asked, **settings)
            for name, answer in zip(names, arrived, strict=True):
                assert answer.get("sha256") == digests[name], answer
                assert f"{answer['size']}.bin" == name
                assert set(answer["options"]) == (set(server.knows) if settings == {} else set())
            assert missing["error"] == "NotFound", missing


def test_failover_and_limit(files):
    folder, digests = files
    with tftp_daemons.Atftpd(folder) as server:
        silent = (server.host, server.free_port())
        good, large = fetch([silent, server.address], ["513.bin", "65536.bin"], limit=65535, timeout=100, attempts=2)
    assert good["sha256"] == digests["513.bin"] and good["server"] == list(server.address)
    silence = f"from 127.0.0.1:{silent[1]}: no answer; requests sent: 2"
    assert good["failures"] == [f"513.bin {silence}"]
    announced = f"65536.bin from 127.0.0.1:{server.port}: announced with 65536 bytes, the limit is 65535"
    assert large == {"error": "TooLarge", "text": f"{announced}; 65536.bin {silence}"}, "the one that answered is first"
