# SPDX-License-Identifier: MIT
"""The worked examples in Python and in C: a directory request by HTTPS that asks the agent about the certificate.

The C example runs on this PC and, with the very libraries that go onto a board, under emulation for arm64."""

import contextlib
import os
import subprocess
import sys

import pytest

from host_tools.lab.model.cluster import Cluster
from host_tools.lab.servers.web import DIRECTORY
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.native.make import make
from tests.helpers.servers.service_lab import Lab
from tests.helpers.servers.service_phone import ROOT

CLIENT = ROOT / "build/native/client"
SYSROOT = ROOT / "build/sysroot/aarch64"
LIBRARIES = f"{SYSROOT}/usr/lib/aarch64-linux-gnu:{ROOT}/build/native/aarch64"
EXAMPLES = {
    "python": [sys.executable, "-m", "host_tools.client.example_directory", "{url}", "--socket", "{socket}"],
    "c": [str(CLIENT / "example_directory"), "{url}", "{socket}"],
    "c-aarch64": [
        "qemu-aarch64-static", "-L", str(SYSROOT), "-E", f"LD_LIBRARY_PATH={LIBRARIES}",
        str(CLIENT / "board/example_directory"), "{url}", "{socket}",
    ],
}  # fmt: skip


@pytest.fixture(scope="session")
def examples():
    """The C examples for both processors, by native/client/Makefile."""
    make("native/client", "example", "board")


# MicroPython serves the C example for arm64: both as on a board.
@pytest.fixture(params=[("python", "cpython"), ("c", "cpython"), ("c-aarch64", "micropython")], ids="-".join)
def request_directory(request, tmp_path, examples):
    """request(url or None, socket or None) -> (exit status, what it printed, what it said of it). Also .lab."""
    example, kind = request.param
    lab = Lab(tmp_path, kind)

    def run(url=None, socket=None):
        url = url or f"https://127.0.0.1:{lab.serving.port('application')}/directory.xml"
        command = [part.format(url=url, socket=socket or lab.phone.socket) for part in EXAMPLES[example]]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
            env={**os.environ, "QEMU_CPU": "cortex-a53"},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    run.lab = lab
    yield run
    lab.close()


def fetched(lab):
    """Requests that the application server was sent."""
    return lab.serving.events.matching(service="application", what="fetch")


def test_tomcat_regenerated_while_the_phone_runs(request_directory):
    lab = request_directory.lab
    assert request_directory() == (0, DIRECTORY.decode(), "accepted vouched-by-tvs\n")
    with lab.client() as agent:
        before = agent.status()
    asked = len(lab.asked)
    old = lab.cluster.certificate("tomcat", 1)
    lab.cluster.regenerate("tomcat")
    assert lab.cluster.certificate("tomcat", 1) != old
    assert request_directory() == (0, DIRECTORY.decode(), "accepted vouched-by-tvs\n")
    with lab.client() as agent:
        after = agent.status()
        assert agent.judge("application", old).accepted, "it was vouched for, for as long as TVS said"
    assert after["installed"] == before["installed"] and lab.asked[asked:] == []
    assert [(one["kind"], one["reason"]) for one in after["requests"]] == [("application", "vouched-by-tvs")] * 2


def test_in_rollback_it_is_refused(request_directory):
    lab = request_directory.lab
    assert request_directory()[0] == 0
    sent = len(fetched(lab))
    lab.cluster.set_rollback(True)
    lab.phone.restart()
    status, printed, said = request_directory()
    assert (status, printed) == (1, "") and said.startswith("refused after-rollback: ")
    assert len(fetched(lab)) == sent
    lab.cluster.set_rollback(False)
    lab.phone.restart()
    assert request_directory()[0] == 0


# The C example takes URLs only, and only by HTTPS.
@pytest.mark.parametrize(
    "request_directory", [("python", "cpython"), ("python", "micropython")], ids="-".join, indirect=True
)
def test_the_directory_of_a_release_before_8_needs_a_plain_url(request_directory):
    lab = request_directory.lab
    assert request_directory("corporate") == (0, DIRECTORY.decode(), "accepted vouched-by-tvs\n")
    lab.cluster.set_rollback(True)
    lab.phone.restart()
    lab.cluster.set_pre8(True)
    lab.phone.restart()
    for service in ("corporate", "personal"):
        status, printed, said = request_directory(service)
        assert (status, printed) == (1, "") and said.startswith("refused after-rollback: ")
        lab.cluster.set_directory(service, lab.cluster.directory_url(service))
        lab.phone.restart()
        assert request_directory(service) == (0, DIRECTORY.decode(), "not judged: plain HTTP\n")


def test_another_clusters_server_is_refused_before_a_byte_is_sent(request_directory, tmp_path):
    other = Cluster.create(tmp_path / "other", name="other", key_maker=PooledKeys())
    with other.serve() as serving:
        status, printed, said = request_directory(f"https://127.0.0.1:{serving.port('application')}/directory.xml")
        assert (status, printed) == (1, "") and said.startswith("refused tvs-refused: ")
        assert serving.events.matching(service="application", what="fetch") == []


def test_a_server_of_the_cluster_with_another_role_is_refused(request_directory):
    lab = request_directory.lab
    status, printed, said = request_directory(f"https://127.0.0.1:{lab.serving.port('capf')}/directory.xml")
    assert (status, printed) == (1, "") and said.startswith("refused tvs-wrong-role: ")


def test_without_tvs_a_certificate_that_is_unknown_is_refused(request_directory):
    lab = request_directory.lab
    lab.serving.stop_tvs()
    status, printed, said = request_directory()
    assert (status, printed) == (1, "") and said.startswith("refused tvs-unreachable: ")
    assert fetched(lab) == []
    lab.serving.start_tvs()
    assert request_directory()[0] == 0


def test_without_an_agent_nothing_is_sent(request_directory):
    lab = request_directory.lab
    status, printed, said = request_directory(socket=str(lab.phone.folder / "none.sock"))
    assert (status, printed) == (2, "") and said.startswith("failed: ") and "listen" in said
    lab.phone.stop()
    status, printed, said = request_directory()
    assert (status, printed) == (2, "") and said.startswith("failed: ")
    assert fetched(lab) == []


def test_what_else_can_go_wrong_is_said(request_directory):
    lab = request_directory.lab
    port = lab.serving.port("application")
    for url in (f"https://127.0.0.1:{port}/none.xml", f"http://127.0.0.1:{port}/directory.xml", "https://127.0.0.1:1/"):
        status, printed, said = request_directory(url)
        assert (status, printed) == (2, "") and said.startswith("failed: "), url
    with contextlib.closing(lab.client()) as agent:
        assert agent.status()["state"] == "trusted"
