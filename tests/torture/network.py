# SPDX-License-Identifier: MIT
"""Servers that do everything wrong, each case by its name among the tests, and whole boots over a bad network."""

import functools
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from pathlib import Path

from host_tools.lab.model.cluster import Cluster
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.phones import HostPhone, MicroPythonPhone, unpack_software
from tests.torture.relay import Relay
from tests.torture.tally import Tally

ROOT = Path(__file__).resolve().parents[2]
MAC = "00270DC01C92"
SHARES = (0.01, 0.05, 0.2)
#: s that a boot may take: three files, each within the client's own deadline
BOUND = 90
#: a file did not arrive: the phone tries again by itself
UNREACHED = ("no-server", "bad-transfer", "out-of-time")
#: protocol -> the tests whose servers are hostile
HOSTILE = {
    "TFTP": ["tests/unit/test_tftp_evil.py", "tests/integration/test_tftp_evil.py", "tests/property/test_tftp_network.py"],
    "HTTP": ["tests/unit/test_http.py", "tests/unit/test_web.py", "tests/property/test_http.py"],
    "TVS": ["tests/unit/test_tvs.py", "tests/unit/test_tvs_message.py", "tests/property/test_tvs_message.py"],
    "CAPF": ["tests/unit/test_capf.py", "tests/unit/test_capf_servers.py", "tests/property/test_capf_message.py"],
    "DHCP": ["tests/unit/test_dhcp.py"],
    "TLS": ["tests/integration/test_hal_tls_hostile.py", "tests/integration/test_tls_slow.py"],
}  # fmt: skip


def run(effort):
    """A line for each protocol, and for boots over a bad network."""
    return [*(hostile(protocol) for protocol in HOSTILE), bad_network(effort)]


def hostile(protocol):
    """The tests of a protocol, each a case."""
    tally = Tally(f"network: hostile {protocol} servers", ", ".join(f"`{file}`" for file in HOSTILE[protocol]))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *HOSTILE[protocol]]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if not report.exists():
            tally.lose(f"pytest ended with {done.returncode}: {done.stdout[-300:]}")
            return tally
        for case in xml.parse(report).iter("testcase"):
            name, took = f"{case.get('classname')}.{case.get('name')}", float(case.get("time", 0))
            if case.find("failure") is not None or case.find("error") is not None:
                tally.lose(name, took)
            elif case.find("skipped") is None:
                tally.survive(took)
    return tally


def bad_network(effort):
    """Boots of a phone of each kind; each ends within BOUND, trusted, or (where packets are lost for good) unharmed."""
    tally = Tally(
        "network: loss, delay, doubling, reordering", f"each at 1, 5 and 20 % at once; bound {BOUND} s a boot."
    )
    tally.rows = [("share", "phone", "boots", "trusted at once", "longest", "packets lost")]
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        cluster = Cluster.create(folder / "cluster", key_maker=PooledKeys())
        cluster.add_phone(MAC)
        software = unpack_software(folder)
        with cluster.serve() as serving:
            each = effort.seconds / 2 / (2 * len(SHARES))
            for share in SHARES:
                for make in (HostPhone, functools.partial(MicroPythonPhone, software=software)):
                    with Relay(("127.0.0.1", serving.tftp_port()), share, effort.seed) as relay:
                        _boots(tally, make, share, relay, each)
    return tally


def _boots(tally, make, share, relay, seconds):
    ends = time.monotonic() + seconds
    boots = trusted = 0
    longest = lost = 0
    while not boots or (time.monotonic() < ends and boots < 200):
        phone = make(MAC)
        phone.point_at(["{}:{}".format(*relay.address)])
        phone.waits = {"tftp_timeout": 300}
        begun = time.monotonic()
        try:
            decisions = phone.boot()
            took = time.monotonic() - begun
            fault = judge(decisions, took)
        except AssertionError as error:
            decisions, took, fault = [], time.monotonic() - begun, str(error)[:200]
        finally:
            phone.close()
        boots += 1
        longest = max(longest, took)
        if fault:
            tally.lose(f"{share:.0%}, {phone.kind}, boot {boots}: {fault}", took)
        else:
            tally.survive(took)
            trusted += all(one["outcome"] == "accepted" for one in decisions)
    lost = relay.counts["lost"]
    tally.rows.append(
        (f"{share:.0%}", phone.kind, boots, trusted, f"{longest:.1f} s", f"{lost} of {relay.counts['passed']}")
    )


def judge(decisions, took):
    """What is wrong with a boot, or None. A file that did not come in time is no fault; a refusal of a good one is."""
    wrong = [one for one in decisions if one["outcome"] != "accepted" and one["reason"] not in UNREACHED]
    if wrong:
        return str([(one["kind"], one["reason"]) for one in wrong])
    return f"took {took:.0f} s" if took > BOUND else None
