# SPDX-License-Identifier: MIT
"""The MIC that a person gives to a phone: `phonetrust phone --mic` on a PC, mic.pem for boards/phone.py."""

import json
import os
import subprocess
import sys
import threading

import pytest

from tests.helpers.lab.procedure import MAC
from tests.helpers.lab.stepped import ROOT

LIMIT = 30  # seconds for a phone to say what is waited for


def phone_command(folder, mic, *more):
    """`phonetrust phone` with its files in `folder`; (exit status, status or None, standard error)."""
    done = subprocess.run(
        [sys.executable, "-m", "host_tools.cli.main", "phone", "--settings", folder / "phone.json"]
        + ["--state", folder / "state", "--mic", mic, "--json", *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def settings(folder, serving):
    (folder / "phone.json").write_text(json.dumps({"mac": MAC, "tftp": [f"127.0.0.1:{serving.tftp_port()}"]}))


def test_on_a_pc(cluster, tmp_path):
    mic = tmp_path / "mic.pem"
    mic.write_bytes(cluster.make_mic(MAC).pem())
    cluster.set_encrypted_configuration(MAC, True)
    cluster.set_capf(MAC, "install", "mic", key="rsa-2048")
    with cluster.serve() as serving:
        settings(tmp_path, serving)
        code, status, log = phone_command(tmp_path, mic)
    assert code == 0, log
    assert status["mic"] is True and status["lsc"]["key"] == "rsa 2048"
    assert status["configuration"] == f"SEP{MAC}.cnf.xml.enc.sgn"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "no certificate"), (b"-----BEGIN CERTIFICATE-----", "without its end"), (None, "No such file")],
)
def test_what_is_no_mic_on_a_pc(tmp_path, content, words):
    mic = tmp_path / "mic.pem"
    if content is not None:
        mic.write_bytes(content)
    (tmp_path / "phone.json").write_text(json.dumps({"mac": MAC}))
    code, status, error = phone_command(tmp_path, mic)
    assert (code, status) == (2, None) and "mic.pem" in error
    assert words in error, error
    assert not (tmp_path / "state").exists(), "nothing was begun"


def test_two_halves_of_two_mics_on_a_pc(cluster, tmp_path):
    first, second = cluster.make_mic(MAC).pem(), cluster.make_mic(MAC).pem()
    mic = tmp_path / "mic.pem"
    mic.write_bytes(
        first.split(b"-----BEGIN PRIVATE")[0] + b"-----BEGIN PRIVATE" + second.split(b"-----BEGIN PRIVATE")[1]
    )
    (tmp_path / "phone.json").write_text(json.dumps({"mac": MAC}))
    code, _, error = phone_command(tmp_path, mic)
    assert code == 2 and "not the one of the certificate" in " ".join(error.split())


def test_on_a_board(cluster, tmp_path):
    """boards/phone.py under the board's interpreter, in a folder as the start scripts leave it."""
    for content, expected in ((cluster.make_mic(MAC).pem(), "MIC: installed"), (b"broken", "MIC: not installed")):
        (tmp_path / "mic.pem").write_bytes(content)
        (tmp_path / "phone.json").write_text(json.dumps({"mac": MAC, "model": "8861"}))
        (tmp_path / "store").write_bytes(bytes(1 << 18))
        process = subprocess.Popen(
            [ROOT / "host_tools/setup/micropython", "aarch64", ROOT / "boards/phone.py", tmp_path],
            cwd=ROOT,
            env={**os.environ, "MICROPYPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        timer = threading.Timer(LIMIT, process.kill)
        timer.start()
        heard = []
        process.stdin.write("show lsc\n")
        process.stdin.flush()
        for line in process.stdout:
            heard.append(line)
            if line.startswith("MIC:"):
                break
        process.kill()
        process.wait()
        timer.cancel()
        process.stdin.close()
        process.stdout.close()
        assert expected in "".join(heard)
        assert ("bad-mic" in "".join(heard)) == (content == b"broken")
