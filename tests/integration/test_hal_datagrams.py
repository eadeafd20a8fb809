# SPDX-License-Identifier: MIT
"""Conformance of the HALs: names, addresses and datagrams."""

import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests.helpers.servers import hal_sides

ETIMEDOUT, ENOENT = 110, 2
SILENT_RESOLVER = str(Path(__file__).parents[1] / "helpers" / "servers" / "silent_resolver.py")


@pytest.fixture(params=[*hal_sides.PLAIN, "fake"])
def side(request):
    return hal_sides.side(request.param)


@pytest.fixture(params=hal_sides.PLAIN)
def real(request):
    return hal_sides.side(request.param)


def check_answers(found):
    answers = [answer for answer, _ in found["answers"]]
    assert answers[0] == [b"echo".hex(), True, True]
    assert answers[1] == [b"01234567".hex(), True, True], "cut to the buffer"
    assert answers[2] == [b"other".hex(), False, True], "from another port of the same host"
    assert answers[3] is None and 190 <= found["answers"][3][1] < 3000
    assert found["nothing"] is None
    assert found["late"] == 4, "what is there already is given after the deadline, too"


def test_datagrams_come_in_time_or_not_at_all(side):
    with side.udp() as port:
        found = side.probe("udp", port=port)
    check_answers(found)
    assert found["text"] == f"127.0.0.1:{port}"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 on loopback")
def test_datagrams_and_streams_over_ipv6(real):
    with hal_sides.serving(hal_sides.udp_server, socket.SOCK_DGRAM, "::1") as port:
        found = real.probe("udp", port=port, host="::1")
    check_answers(found)
    assert found["text"] == f"[::1]:{port}"
    with hal_sides.serving(lambda each: hal_sides.play(hal_sides.ANSWERS, each), host="::1") as port:
        found = real.probe("talk", kind="tcp", port=port, host="::1", say="x")
    assert found["got"][0][0] == b"answer to x".hex()


def test_a_port_without_server_is_silence(side):
    with hal_sides.closed_port() as port:
        answer, took = side.probe("unanswered", port=port)
    assert answer is None and 90 <= took < 3000


def test_digits_names_and_what_is_neither(real):
    hosts = ["192.0.2.1", "2001:db8::1", "localhost", "no-such-host.invalid", "", "a\0b"]
    found = {host: answer for host, answer, _ in real.probe("resolve", hosts=hosts)["found"]}
    assert found["192.0.2.1"] == "192.0.2.1:69" and found["2001:db8::1"] == "[2001:db8::1]:69"
    assert found["localhost"] == "127.0.0.1:69", "IPv4 where there is both"
    for host in hosts[3:]:
        assert found[host] == {"error": ENOENT}


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root, for a network of its own")
def test_a_silent_resolver_costs_the_deadline_and_delays_no_other_task(real):
    before = ["unshare", "--mount", "--net", sys.executable, SILENT_RESOLVER]
    names = [f"host{number}.example" for number in range(6)]
    found = real.probe("resolve", before=before, hosts=[*names, "192.0.2.1"], patience=600)
    for host, answer, took in found["found"]:
        if host == "192.0.2.1":
            assert answer == "192.0.2.1:69" and took < 500
        else:
            assert answer == {"error": ETIMEDOUT} and 550 <= took < 5000
    assert found["turns"] >= 5, "other tasks go on meanwhile"
