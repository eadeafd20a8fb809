# SPDX-License-Identifier: MIT
"""Many boards: coordinator and exporter on loopback, a place acquired by name, the hil tests run through it.

The board is emulated and has a real board's plugs: a serial line that the exporter serves with ser2net, and a power switch
with HTTP. So except for the card, a rack of Raspberry Pis works in the same way.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from host_tools.image import board as boards
from tests.helpers.board.commands import inner
from tests.helpers.board.images import build_image

SCRIPTS = Path(sys.executable).parent
TESTS = ("test_first_boot_to_trusted", "test_second_boot_changes_nothing", "test_tftp_certificate_regenerated")


@pytest.fixture
def rack(tmp_path):
    """A coordinator, an exporter and an emulated board; -> (coordinator's address, environment file)."""
    if shutil.which("ser2net", path=os.environ["PATH"] + ":/usr/sbin") is None:
        pytest.skip("ser2net is not installed; labgrid's exporter needs it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    image = build_image("qemu-virt", tmp_path / "phone.img")
    card = tmp_path / "card"
    shutil.copyfile(image, card)
    processes = []

    def start(*command):
        log = open(tmp_path / f"{Path(command[0]).name}-{len(processes)}.log", "wb")
        environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin", "PYTHONPATH": str(boards.TOP)}
        processes.append(subprocess.Popen(
            [str(word) for word in command], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            env=environment, text=True, start_new_session=True,
        ))  # fmt: skip
        log.close()
        return processes[-1]

    try:
        plugs = json.loads(start(sys.executable, "-m", "host_tools.hil.rack", "qemu-virt", card).stdout.readline())
        start(SCRIPTS / "labgrid-coordinator", "-l", coordinator)
        await_port(coordinator)
        exported = tmp_path / "exporter.yaml"
        exported.write_text(json.dumps({"shelf": {
            "RawSerialPort": {"port": plugs["serial"], "speed": 115200},
            "NetworkPowerPort": {"model": "rest", "host": plugs["power"], "index": "1"},
        }}))  # fmt: skip
        start(SCRIPTS / "labgrid-exporter", "-c", coordinator, "--name", "rack", "--hostname", "127.0.0.1", exported)
        environment = tmp_path / "place.yaml"
        environment.write_text(f"""\
imports: [host_tools.hil]
images: {{card: {image}}}
options: {{board: qemu-virt, listen: 127.0.0.1, address: 10.0.2.2}}
targets:
  main:
    features: [card, power-cut]
    resources:
      RemotePlace: {{name: phone-1}}
    drivers:
      RecordedSerialDriver: {{}}
      NetworkPowerDriver: {{delay: 0.2}}
      EmulatedCardDriver: {{path: {card}}}
      PhoneStrategy: {{}}
""")
        yield coordinator, environment
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def await_port(address, limit=30):
    host, _, port = address.rpartition(":")
    end = time.monotonic() + limit
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"nobody listens on {address}"
            time.sleep(0.1)


def client(coordinator, *words):
    """labgrid-client -> its output; it must succeed."""
    done = subprocess.run(
        [SCRIPTS / "labgrid-client", "-x", coordinator, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_tests(coordinator, environment, report):
    """The hil tests through the place -> (exit status, their suite in the report, output)."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--lg-env", environment, "--lg-coordinator", coordinator,
         f"--junitxml={report}", *[f"tests/hil/test_phone.py::{name}" for name in TESTS]],
        cwd=boards.TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600,
        env={**os.environ, **inner(report)}, check=False,
    )  # fmt: skip
    return done.returncode, next(xml.parse(report).iter("testsuite")) if report.exists() else None, done.stdout


@pytest.mark.timeout(1500)
def test_hil_tests_run_through_a_place_acquired_by_name(rack, tmp_path):
    coordinator, environment = rack
    end = time.monotonic() + 30
    while client(coordinator, "resources").split() != ["rack/shelf/NetworkPowerPort", "rack/shelf/NetworkSerialPort"]:
        assert time.monotonic() < end, "the exporter did not come: " + client(coordinator, "resources")
        time.sleep(0.3)
    client(coordinator, "-p", "phone-1", "create")
    client(coordinator, "-p", "phone-1", "add-match", "rack/shelf/*")
    status, _, output = run_tests(coordinator, environment, tmp_path / "refused.xml")
    assert status != 0 and "phone-1" in output, "a place that nobody has acquired is not used"
    client(coordinator, "-p", "phone-1", "acquire")
    try:
        status, suite, output = run_tests(coordinator, environment, tmp_path / "report.xml")
        assert status == 0, output
        assert (suite.get("tests"), suite.get("skipped")) == (str(len(TESTS)), "0")
    finally:
        client(coordinator, "-p", "phone-1", "release")
