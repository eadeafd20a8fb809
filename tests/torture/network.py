# SPDX-License-Identifier: MIT
"""Hostile servers, each case a test of its own, and whole boots over a bad line."""

import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from pathlib import Path

from tests.torture import bad_line
from tests.torture.tally import Effort, Tally

ROOT = Path(__file__).resolve().parents[2]
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
    """A line for each protocol's hostile servers, and for each protocol over a bad line."""
    begun = time.monotonic()
    tallies = [hostile(protocol) for protocol in HOSTILE]
    left = max(effort.seconds / 2, effort.seconds - (time.monotonic() - begun))
    return tallies + bad_line.run(Effort(left, effort.seed, effort.short))


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
