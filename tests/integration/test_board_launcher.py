# SPDX-License-Identifier: MIT
"""boards/phone.py and the start scripts around it, under the board's interpreter: what DHCP says, and signs of life."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = ROOT / "host_tools/setup/micropython"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MICROPYPATH": f"{ROOT}:{ROOT}/boards", "LANG": "C.UTF-8"}
LIMIT = 60  # s until a test gives up


def servers(network):
    """What the launcher makes of network.json."""
    code = "import sys, phone; print(phone.dhcp_servers(sys.stdin.read()))"
    done = subprocess.run(
        [MICROPYTHON, "aarch64", "-c", code],
        input=network,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("network", "found"),
    [
        ('{"option150": ["192.0.2.1", "192.0.2.2"], "option66": ["other"]}', "[('192.0.2.1', 69), ('192.0.2.2', 69)]"),
        ('{"option150": [], "option66": ["cucm.example:6969"]}', "[('cucm.example', 6969)]"),
        ('{"option150": [], "option66": ["host:99999", "::", ":", "ok"]}', "[('::', 69), ('ok', 69)]"),
        ('{"option150": [1, null, {}, "192.0.2.1"], "option66": 7}', "[('192.0.2.1', 69)]"),
        ('{"option150": "192.0.2.1"}', "[]"),
        ("[[[]]]", "[]"),
        ("not JSON", "[]"),
        ("", "[]"),
    ],
)
def test_what_is_no_server_is_left_out(network, found):
    assert servers(network) == found


@pytest.fixture
def dhcp(tmp_path):
    """dhcp(variables) -> network.json of the script that udhcpc calls, with `ip` and the log in files."""
    text = (ROOT / "host_tools/image/rootfs/dhcp").read_text()
    (tmp_path / "common").write_text(f'state={tmp_path}\nip() {{ :; }}\nlog() {{ echo "$*" >>{tmp_path}/log; }}\n')
    script = tmp_path / "dhcp"
    script.write_text(text.replace("/etc/phone/common", str(tmp_path / "common")))

    def run(**variables):
        known = {"interface": "eth0", "ip": "192.0.2.9", "mask": "24", "router": "192.0.2.254", "dns": "192.0.2.253"}
        environment = {**ENVIRONMENT, **known, **variables}
        shell = shutil.which("dash") or "sh"
        done = subprocess.run([shell, script, "bound"], env=environment, capture_output=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return (tmp_path / "network.json").read_text()

    return run


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"opt150": "c0000201c0000202"}, "[('192.0.2.1', 69), ('192.0.2.2', 69)]"),
        ({"opt150": "c00002"}, "[]"),
        ({"opt150": "c0000201c0"}, "[('192.0.2.1', 69)]"),
        ({"opt150": "c0000201" * 100}, None),
        ({"tftp": "cucm.example"}, "[('cucm.example', 69)]"),
        ({"tftp": 'a", "b'}, "[]"),
        ({"tftp": "$(touch hacked)`touch hacked`"}, "[]"),
        ({"tftp": "\x1b[2J"}, "[]"),
        ({"tftp": "*"}, "[]"),
        ({"tftp": "host:0"}, "[]"),
        ({"tftp": os.fsdecode(b"\xff\xfe")}, "[]"),
    ],
)
def test_any_machine_can_answer_dhcp(dhcp, tmp_path, variables, found):
    network = dhcp(**variables)
    assert json.loads(network)["address"] == "192.0.2.9"
    said = servers(network)
    assert said == found if found else said.startswith("[('192.0.2.1', 69)"), said
    assert not (tmp_path / "hacked").exists()


def test_life_is_shown_while_a_server_says_nothing(tmp_path):
    """However long a file takes (tftp_deadline), the supervisor sees that the agent lives: the watchdog is a task of the loop."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = {"tftp": [server], "tftp_timeout": 10000, "tftp_deadline": 3600000, "boot_budget": 3600}
        (tmp_path / "phone.json").write_text(json.dumps({"mac": "00270DC01C92", "model": "8861", **settings}))
        (tmp_path / "mac").write_text("00270DC01C92")
        (tmp_path / "store").write_bytes(bytes(1 << 20))
        (tmp_path / "agent").mkdir()
        alive = tmp_path / "agent/alive"
        process = subprocess.Popen(
            [MICROPYTHON, "aarch64", "-X", "heapsize=8M", ROOT / "boards/phone.py", tmp_path],
            env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            silent.settimeout(LIMIT)
            assert b"CTLSEP00270DC01C92.tlv" in silent.recv(1000), "the boot has begun"
            for _ in range(3):
                alive.unlink(missing_ok=True)
                end = time.monotonic() + LIMIT
                while not alive.exists() and time.monotonic() < end:
                    time.sleep(0.05)
                assert alive.exists()
            assert sorted(path.name for path in tmp_path.iterdir()) == ["agent", "mac", "phone.json", "store"]
        finally:
            process.kill()
            said, _ = process.communicate()
    assert b"ctl" not in said.splitlines()[-1], "the boot still waits"
