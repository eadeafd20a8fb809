# SPDX-License-Identifier: MIT
"""The phone on its board, from the first power-on to its troubles; the same on the emulated and on a real board."""

import re
import ssl

import pytest

from host_tools.hil import record
from host_tools.lab.servers import stream

CONFIGURATION = "SEP00270DC01C92.cnf.xml.sgn"


def test_first_boot_to_trusted(phone, settings, measured):
    phone.new(**settings)
    assert phone.boot() == ("trusted", "nonsecure", False)
    decisions = phone.decisions()
    assert decisions["ctl"] == ("accepted", "not-found")
    assert decisions["itl"] == ("accepted", "first-use")
    assert decisions[CONFIGURATION] == ("accepted", "signed-by-itl")
    seconds = phone.seconds("state trusted")
    measured("seconds_to_trusted", seconds)
    assert seconds < 120, "it took longer than any machine explains"
    memory = int(phone.await_line(r"memory: (\d+) MiB of \d+ MiB in use", 30)[1])
    measured("memory_mib", memory)
    assert memory < 64
    status = phone.status()
    assert status["mac"] == "00270DC01C92" and status["installed"]["itl"]["filename"] == "ITLFile.tlv"


def test_console_is_recorded_from_the_first_byte_to_the_last(phone, settings):
    phone.new(**settings)
    phone.boot()
    phone.type("show security")  # no test reads the answer: only the record has it
    phone.console.drain(silence=1.5)
    phone.strategy.transition("off")
    text = phone.console.record_file.read_text(errors="replace").rsplit("power on\n", 1)[1]
    banner = re.search(r"power-on: phonetrust (\S+) on .+, MAC [0-9A-F]{12}, slot [ab], boot \w+\r?\n", text)
    assert banner and "Policy       first-use" in text and text.rstrip().endswith("power off")
    for line in text.splitlines():
        if line.startswith("["):  # one line an event: time, severity, reason or decision
            assert re.match(r"\[ *\d+\.\d{3}\] (info|notice|warning|error) +\S", line), line


def test_second_boot_changes_nothing(phone, settings):
    phone.new(**settings)
    phone.boot()
    assert phone.boot() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "unchanged")


def test_reset_restarts_the_board(phone, settings):
    phone.new(**settings)
    phone.boot()
    phone.type("reset")
    phone.expect("power-on: phonetrust", 60)
    assert phone.await_ready() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "unchanged")


def test_tftp_certificate_regenerated(phone, cluster, settings):
    phone.new(**settings)
    phone.boot()
    cluster.regenerate("tftp")
    assert phone.restart() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "vouched-by-tvs")
    assert phone.boot() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "unchanged")


@pytest.fixture
def capped(monkeypatch):
    """The cluster's TLS servers end at TLS 1.2, as releases before 15 do; the versions that they agreed to."""
    make, versions = stream.server_context, []

    def server_context(*arguments):
        context = make(*arguments)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        versions.append(context.maximum_version)
        return context

    monkeypatch.setattr(stream, "server_context", server_context)
    return versions


def test_a_tvs_that_ends_at_tls_1_2(capped, phone, cluster, settings):
    phone.new(**settings)
    phone.boot()
    cluster.regenerate("tftp")
    assert phone.restart() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "vouched-by-tvs")
    assert set(capped) == {ssl.TLSVersion.TLSv1_2}, "the servers were capped"


@pytest.mark.needs("cable")
def test_network_cut_and_restored(phone, settings):
    phone.new(**settings)
    phone.boot()
    phone.power.cable(False)
    assert phone.restart() == ("trusted", "nonsecure", False)
    assert phone.decisions()["ctl"] == ("refused", "no-server")
    phone.power.cable(True)
    phone.expect("asking the servers again", 40)
    assert phone.await_state() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "unchanged")


@pytest.mark.needs("cable")
def test_network_comes_after_the_phone_and_what_was_ended_is_started_again(phone, settings):
    phone.new(**settings)
    phone.strategy.transition("on")
    phone.expect("power-on: phonetrust", 120)
    phone.power.cable(False)
    phone.heard = ""
    phone.expect("warning no-network: no address", 60)
    assert phone.await_ready() == ("no-trust", "nonsecure", False)
    phone.power.cable(True)
    phone.expect("network-up: ", 60)
    phone.expect("agent-restart: the agent ended and is started again", 30)
    assert phone.await_ready() == ("trusted", "nonsecure", False)


@pytest.mark.needs("card")
def test_settings_edited_on_the_card(phone, settings):
    phone.new(**settings, policy="provisioned-only")
    assert phone.boot() == ("no-trust", "nonsecure", True)
    assert phone.decisions()["itl"] == ("refused", "not-provisioned")
    phone.change_settings(policy="first-use")
    assert phone.boot() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "first-use")


@pytest.mark.needs("card")
def test_settings_with_a_mistake_are_refused_and_nothing_is_fetched(phone, settings, serving):
    phone.new(**settings)
    phone.change_settings(tftp="10.0.2.2")
    phone.strategy.transition("on")
    phone.expect(r"error +bad-settings: phone.json: tftp is \"10.0.2.2\", but it must be a list of texts", 60)
    phone.change_settings(**settings)
    assert phone.boot() == ("trusted", "nonsecure", False)


def test_recording_has_the_names_of_the_tests(phone, request):
    assert phone.console.record_file.parent == record.FOLDER
    assert request.node.nodeid in phone.console.record_file.read_text(errors="replace")
