# SPDX-License-Identifier: MIT
"""Phones that take one step at a time beside a lab cluster: CPython with either cryptography, MicroPython for arm64.

They have what phones.py lacks and tests of enrolment, HTTP and services need: a MIC, a step between two changes of the
cluster, and the phone's own key in its store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("libphonetrust", "cryptography", "micropython")
MARK = "##"


class SteppedPhone:
    """A phone in `folder` of one of KINDS, switched on; do() lets it take a step (stepped_phone.py has the list).

    log: all lines it printed. reasons: of the last step, "kind reason", refusals with a "!". status: after it."""

    def __init__(self, kind, folder, tftp_port, mac, mic=None, **settings):
        folder.mkdir(exist_ok=True)
        settings = {"mac": mac, "tftp": [f"127.0.0.1:{tftp_port}"], **settings}
        (folder / "phone.json").write_text(json.dumps(settings))
        if mic is not None:
            (folder / "mic.pem").write_bytes(mic.pem())
        program = [ROOT / "tests/helpers/lab/stepped_phone.py", folder]
        environment = {**os.environ}
        if kind == "micropython":
            command = [ROOT / "host_tools/setup/micropython", "aarch64", "-X", "heapsize=8m", *program]
            environment["MICROPYPATH"] = str(ROOT)
        else:
            command = [sys.executable, *program]
            environment["PYTHONPATH"] = str(ROOT)
            environment["PHONETRUST_CRYPTO"] = "native" if kind == "libphonetrust" else kind
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log, self.reasons, self.status = [], [], None

    def do(self, what, **more):
        """One step; its answer."""
        self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(MARK):
                answer = json.loads(line[len(MARK) :])
                self.reasons, self.status = answer["reasons"], answer["status"]
                return answer
            self.log.append(line.rstrip())
        raise AssertionError("the phone ended:\n" + "\n".join(self.log[-30:]))

    def section(self, name):
        """The bytes of a section of its store, None where it is not there."""
        found = self.do("section", name=name)["section"]
        return None if found is None else bytes.fromhex(found)

    def close(self):
        """Switch it off."""
        self._process.stdin.close()
        self._process.stdout.read()
        self._process.wait(30)
        self._process.stdout.close()


def fixture():
    """A fixture for a test module: make(serving, mac, mic=Identity, **settings) -> a SteppedPhone, of each kind in turn,
    whose TFTP server is node 1's."""

    @pytest.fixture(params=KINDS)
    def stepped_phone(request, tmp_path):
        phones = []

        def make(serving, mac, **more):
            folder = tmp_path / f"phone-{len(phones)}"
            phones.append(SteppedPhone(request.param, folder, serving.tftp_port(), mac, **more))
            return phones[-1]

        yield make
        for phone in phones:
            phone.close()

    return stepped_phone
