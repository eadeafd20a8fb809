# SPDX-License-Identifier: MIT
"""The trust service on real sockets, served by CPython and by MicroPython for arm64: programs that ask, and that misbehave."""

import contextlib
import itertools
import json
import os
import socket
import stat
import subprocess
import threading

import pytest

from host_tools.client import AgentGone, RequestRefused, TrustClient, Unsupported
from tests.helpers.servers.service_lab import raw, wait_until, works
from tests.helpers.servers.service_phone import KINDS, MAC, ROOT

LOAD_SIZE = 200_000


each_kind = pytest.mark.parametrize("own_lab", KINDS, indirect=True)


# What it answers


def test_status_and_judge(lab):
    with lab.client() as agent:
        found = agent.status()
        assert found["state"] == "trusted" and found["mac"] == MAC
        assert agent.judge("tvs", lab.cluster.certificate("tvs", 1)).reason == "listed-in-itl"
        tomcat = agent.judge("application", lab.cluster.certificate("tomcat", 1))
        assert tomcat.accepted and tomcat.reason == "vouched-by-tvs" and tomcat.kind == "application"
        wrong = agent.judge("application", lab.cluster.certificate("capf"))
        assert not wrong.accepted and wrong.reason == "tvs-wrong-role"
        with pytest.raises(RequestRefused, match="purpose must be one of"):
            agent.judge("sip", b"x")
        assert agent.judge("configuration", lab.cluster.certificate("tftp")).reason == "wrong-key", "not an EC key"


def test_socket_and_folder_are_for_the_agents_group_alone(lab):
    mode = os.stat(lab.phone.socket).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


@each_kind
def test_subscribers_hear_what_changes(own_lab):
    with own_lab.client() as agent, own_lab.client() as other:
        before = agent.subscribe()
        assert before["state"] == "trusted" and before["mode"] == "nonsecure"
        judged = other.judge("tvs", own_lab.cluster.certificate("tvs", 1))
        assert agent.event(20) == ("decision", judged)
        own_lab.cluster.set_cluster_mode("mixed")
        own_lab.phone.restart()
        kinds, changes = [], []
        while not kinds or ".cnf.xml" not in kinds[-1][0]:  # the last decision of a boot
            kind, value = agent.event(30)
            if kind == "trust":
                changes.append(value)
            else:
                kinds.append((value.kind, value.reason))
        assert kinds[0] == ("ctl", "signed-by-itl") and changes[0]["mode"] == "mixed"
        assert changes == [value for index, value in enumerate(changes) if value not in changes[:index]], "never twice"
        assert before["installed"]["ctl"] is None and changes[0]["installed"]["ctl"] is not None
        assert agent.event(0.2) is None
        with own_lab.client() as late:
            assert late.status()["mode"] == "mixed"
        own_lab.phone.type("erase all yes yes", "erased")
        while (event := agent.event(30))[0] != "trust":
            pass
        assert event[1]["state"] == "no-trust"


# Files


def test_files_of_all_kinds(lab):
    for name, size in (
        ("New_Zealand/g3-tones.xml", 3000),
        ("ringlist.xml", 1),
        ("load.bin", LOAD_SIZE),
        ("empty.xml", 0),
    ):
        body = os.urandom(size)
        lab.publish(name + ".sgn", body)
        with lab.client() as agent:
            decision, path = agent.fetch(name)
            assert decision.accepted and decision.reason == "signed-by-itl" and decision.kind == name + ".sgn"
            with open(path, "rb") as file:
                assert file.read() == body
                agent.close()
                wait_until(lambda path=path: not os.path.exists(path))
                file.seek(0)
                assert file.read() == body, "who has it open can read on"


def test_refused_files_leave_nothing(lab):
    body = os.urandom(LOAD_SIZE)
    path = lab.publish("bad.bin.sgn", body)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    lab.publish("renamed.xml.sgn", body, inside="other.xml.sgn")
    (lab.more / "plain.xml").write_bytes(body)
    lab.publish("stranger.xml.sgn", body, signer=lab.cluster.identity("tomcat", 1))
    with lab.client() as agent:
        for name, reason in (
            ("bad.bin", "bad-signature"),
            ("renamed.xml", "wrong-file"),
            ("plain.xml", "unsigned"),
            ("none.xml", "not-found"),
            ("stranger.xml", "tvs-wrong-role"),
        ):
            decision, path = agent.fetch(name)
            assert (decision.accepted, decision.reason, path) == (False, reason, None)
        assert os.listdir(lab.phone.files) == []


def test_a_disk_that_is_full_when_the_last_bytes_are_written(lab):
    """/dev/full takes no bytes, and a buffered file reports that only when it is closed."""
    lab.publish("small.xml.sgn", b"<small/>")
    with lab.client() as agent:
        _, path = agent.fetch("small.xml")
        number = int(os.path.basename(path))
        (lab.phone.files / f"{number + 1}.part").symlink_to("/dev/full")
        decision, path = agent.fetch("small.xml")
        assert (decision.accepted, decision.reason, path) == (False, "not-stored", None)
        assert agent.fetch("small.xml")[0].accepted
        assert sorted(os.listdir(lab.phone.files)) == [str(number), str(number + 2)]


def test_others_are_answered_while_a_file_arrives(lab):
    hurry = lab.publish_slowly("large.bin.sgn")
    asked = len(lab.asked)
    fetched = []

    def fetch():
        with lab.client() as agent:
            fetched.append(agent.fetch("large.bin")[0])

    thread = threading.Thread(target=fetch)
    thread.start()
    wait_until(lambda: len(lab.asked) > asked)
    with lab.client() as agent:
        assert agent.status()["state"] == "trusted"
        assert agent.judge("tvs", lab.cluster.certificate("tvs", 1)).accepted
        assert not fetched
    hurry.set()
    thread.join(120)
    assert fetched[0].accepted


def test_a_program_that_goes_away_ends_its_transfer(lab):
    lab.publish_slowly("huge.bin.sgn")
    asked = len(lab.asked)
    gone = raw(lab)
    gone.sendall(b'{"id": 1, "do": "fetch", "name": "huge.bin"}\n')
    wait_until(lambda: len(lab.asked) > asked)
    gone.close()
    with lab.client() as agent:
        assert agent.fetch("none.xml")[0].reason == "not-found"
        wait_until(lambda: os.listdir(lab.phone.files) == [])
        decided = [decision["kind"] for decision in agent.status()["requests"]]
    assert "huge.bin.sgn" not in decided, "it never arrived whole"


# The agent itself


@each_kind
def test_an_agent_that_is_started_again(own_lab):
    agent = own_lab.client()
    own_lab.phone.stop()
    with pytest.raises(AgentGone):
        agent.status()
    with pytest.raises(AgentGone, match="does not listen"):
        own_lab.client()
    own_lab.phone.start()
    assert works(own_lab)


@pytest.mark.parametrize("what", ["a file", "no folder"])
def test_a_socket_that_cannot_be_is_said(tmp_path, what):
    path = tmp_path / "here" if what == "a file" else tmp_path / "none/here"
    if what == "a file":
        path.write_text("precious")
    (tmp_path / "phone.json").write_text(json.dumps({"mac": MAC, "tftp": ["127.0.0.1:9"]}))
    done = subprocess.run(
        [ROOT / ".venv/bin/phonetrust", "phone", "--serve", "--socket", path, "--settings", "phone.json", "--state", "state"],
        cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2 and "cannot listen there" in done.stderr and "Traceback" not in done.stderr
    assert what != "a file" or path.read_text() == "precious"


def test_an_agent_whose_queue_is_full_costs_one_timeout(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as waiting:
        listener.bind(str(tmp_path / "full"))
        listener.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(str(tmp_path / "full"))
        with pytest.raises(AgentGone, match="did not answer in time"):
            TrustClient(tmp_path / "full", 0.3)


def test_client_errors_are_no_answers():
    """The Python client against an agent that sends anything."""
    bad = [
        (b"", AgentGone),
        (b"garbage\n", Unsupported),
        (b'{"protocol": 2}\n', Unsupported),
        (b'{"protocol": true}\n', Unsupported),
        (b'{"protocol": 1}\n', AgentGone),
        (b'{"protocol": 1}\n{"id": 2, "ok": true}\n', Unsupported),
        (b'{"protocol": 1}\n{"id": 1, "ok": 1}\n', Unsupported),
        (b'{"protocol": 1}\n{"id": 1, "ok": true}\n', Unsupported),
        (b'{"protocol": 1}\n{"id": 1, "ok": true, "decision": {"outcome": "accepted"}}\n', Unsupported),
        (b'{"protocol": 1}\n{"id": 1, "ok": true, "decision": [1]}\n', Unsupported),
        (b'{"protocol": 1}\n' + b"[" * 100000 + b"\n", Unsupported),
        (b'{"protocol": 1}\n' + b"x" * 3000000, Unsupported),
        (b'{"protocol": 1}\n\xff\xff\n', Unsupported),
        (b'{"protocol": 1}\n{"id": 1, "ok": false, "error": "no"}\n', RequestRefused),
    ]
    numbers = itertools.count()
    with socket.socket(socket.AF_UNIX) as listener:
        path = f"/tmp/phonetrust-{os.getpid()}-{next(numbers)}"
        listener.bind(path)
        listener.listen(1)

        def serve():
            for data, _ in bad:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(65536)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            for data, error in bad:
                with pytest.raises(error), TrustClient(path, 10) as agent:
                    agent.judge("tvs", b"x")
                assert data is not None
        finally:
            os.unlink(path)
            thread.join(10)
