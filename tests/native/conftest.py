# SPDX-License-Identifier: MIT
"""Builds the library and its test programs once a session."""

import subprocess

import pytest

from tests.helpers.native.client_agent import CLIENT, LONG, VARIANTS, Agent, parse
from tests.helpers.native.library import ROOT, Library


@pytest.fixture(scope="session")
def native_build():
    """Both libraries, the C tests in their variants and the fuzz targets, by native/Makefile."""
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", "native", "-j2", "all", "programs"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"make -C native all programs:\n{done.stdout}"
    return ROOT / "build" / "native"


@pytest.fixture(scope="session")
def library(native_build):
    return Library()


@pytest.fixture(scope="session")
def client_build():
    """Both libraries and the test programs, by native/client/Makefile."""
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", "native/client", "all", "programs"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return CLIENT


@pytest.fixture(params=VARIANTS)
def run(request, client_build, tmp_path):
    """run(script or scripts, commands..., timeout=ms) -> [(name, result, {what was filled in})], first of open."""
    agents = []

    def go(scripts, *commands, timeout=LONG):
        scripts = scripts if isinstance(scripts, (list, tuple)) else [scripts]
        agent = Agent(tmp_path / f"{len(agents)}.sock", *scripts)
        agents.append(agent)
        command = [part.format(client=client_build) for part in VARIANTS[request.param]]
        done = subprocess.run(
            [*command, agent.path, str(timeout), *commands],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0 and done.stderr == "", done.stderr
        go.agent = agent
        return [parse(line) for line in done.stdout.splitlines()]

    yield go
    for agent in agents:
        agent.close()
