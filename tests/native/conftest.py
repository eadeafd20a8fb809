# SPDX-License-Identifier: MIT
"""Builds the library and its test programs once a session."""

import subprocess

import pytest

from tests.helpers.native.client_agent import CLIENT, LONG, VARIANTS, Agent, parse
from tests.helpers.native.library import BUILD, Library
from tests.helpers.native.make import make
from tests.helpers.native.pkcs11_module import VARIANTS as PKCS11_VARIANTS
from tests.helpers.native.pkcs11_module import Module
from tests.helpers.native.signing_agent import SigningAgent, key_of, pair_of


@pytest.fixture(scope="session")
def native_build():
    """Both libraries, the C tests in their variants and the fuzz targets, by native/Makefile."""
    make("native", "all", "programs")
    return BUILD


@pytest.fixture(scope="session")
def library(native_build):
    return Library()


@pytest.fixture(scope="session")
def client_build():
    """Both libraries and the test programs, by native/client/Makefile."""
    make("native/client", "all", "programs")
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


@pytest.fixture(scope="session")
def pkcs11_build():
    """Both PKCS#11 modules and the test programs, by native/pkcs11/Makefile."""
    make("native/pkcs11", "all", "programs")
    return BUILD / "pkcs11"


@pytest.fixture(scope="session")
def keys():
    """keys(name) -> private key ("rsa-2048", "ec-256"), each made once."""
    made = {}

    def key(name):
        if name not in made:
            made[name] = key_of(name)
        return made[name]

    return key


@pytest.fixture
def agent(tmp_path, keys):
    """An agent of the tests with an RSA LSC."""
    with SigningAgent(tmp_path / "trust.sock", {"lsc": pair_of(keys("rsa-2048"))}) as found:
        yield found


@pytest.fixture(params=PKCS11_VARIANTS)
def module(request, pkcs11_build, agent):
    """A program with the PKCS#11 module, connected to the agent."""
    found = Module(agent.path, request.param)
    yield found
    found.close()
