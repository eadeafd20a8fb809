# SPDX-License-Identifier: MIT
"""A server that accepts and stays silent delays only the program that needs it: on both Pythons, with real sockets."""

import contextlib
import socket
import threading

import pytest

from tests.helpers.servers.service_lab import Lab
from tests.helpers.servers.service_phone import KINDS


@pytest.fixture(params=KINDS)
def lab(request, tmp_path):
    # long enough for the slowest machine to answer others before the silent server is given up
    made = Lab(tmp_path, request.param, tvs_timeout=40000, tftp_timeout=4000)
    yield made
    made.close()


@contextlib.contextmanager
def silent_tcp(port):
    """A server that accepts connections and says nothing; gives the list of them."""
    listener = socket.create_server(("127.0.0.1", port))
    accepted = []

    def accept():
        with contextlib.suppress(OSError):
            while True:
                accepted.append(listener.accept()[0])

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield accepted
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)
    for each in accepted:
        each.close()


def asked(lab, purpose, certificate):
    """(thread, answers) of a program that asks; the thread adds the answer when it comes."""
    answers = []

    def ask():
        with lab.client() as agent:
            answers.append(agent.judge(purpose, certificate))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def others_are_answered(lab):
    """Check that another program and the console get their answers."""
    with lab.client() as agent:
        assert agent.status()["state"] == "trusted"
        decision = agent.judge("tvs", lab.cluster.certificate("tvs", 1))
        assert (decision.accepted, decision.reason) == (True, "listed-in-itl")
    lab.phone.type("show security", "State")


def test_a_silent_tvs_delays_only_the_program_that_needs_it(lab):
    port = lab.serving.tvs_port(1)
    lab.serving.stop_tvs(1)
    with silent_tcp(port) as accepted:
        unknown = lab.cluster.certificate("tomcat", 1)
        first, first_answers = asked(lab, "application", unknown)
        second, second_answers = asked(lab, "callmanager", unknown)
        while not accepted:
            assert first.is_alive()
        others_are_answered(lab)
        assert not first_answers and not second_answers, "both wait for TVS still"
    first.join(60)  # the silent server has gone, so the phone gives up at once
    second.join(60)
    assert [answer.reason for answer in first_answers + second_answers] == ["tvs-unreachable"] * 2


def test_a_silent_tftp_server_delays_only_the_boot(lab):
    port = lab.tftp.port
    lab.tftp.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", port))
        silent.settimeout(30)
        lab.phone.type("restart", "restart asked for")
        silent.recv(2048)  # the boot has begun
        before = len(lab.phone.output())
        others_are_answered(lab)
        assert " state " not in lab.phone.output()[before:], "the boot goes on meanwhile"
        lab.phone.expect("no-server", 120)
