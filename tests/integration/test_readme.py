# SPDX-License-Identifier: MIT
"""The README's first screen shows what `phonetrust preflight` prints about a real cluster with the same mistake."""

import os
import re
import subprocess
import sys
from pathlib import Path

from host_tools.lab.model.cluster import Cluster

README = Path(__file__).resolve().parent.parent.parent / "README.md"


def shown():
    """(arguments, output) of the preflight in README."""
    block = re.search(r"```\n\$ phonetrust (preflight .*)\n((?:.*\n)+?)```", README.read_text())
    return block[1].split(), block[2]


def same_in_each_run(text):
    """The text without serial number, port and line breaks."""
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"127\.0\.0\.1:\d+", "TVS", re.sub(r"serial [0-9a-f]{32}", "serial", text)).strip()


def test_the_lockout_in_readme_is_the_one_that_preflight_tells(tmp_path):
    arguments, output = shown()
    cluster = Cluster.create(tmp_path / "cluster", kind="classic")
    served = tmp_path / "cluster" / "current" / "published" / "lab-pub" / "ITLFile.tlv"
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / "ITLFile.tlv").write_bytes(served.read_bytes())
    cluster.regenerate("tvs")
    cluster.regenerate("tftp")
    (tmp_path / "new" / "ITLFile.tlv").write_bytes(served.read_bytes())
    with cluster.serve() as serving:
        arguments[arguments.index("--tvs") + 1] = f"127.0.0.1:{serving.tvs_port()}"
        done = subprocess.run(
            [sys.executable, "-m", "host_tools.cli.main", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(README.parent), "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1, done.stdout + done.stderr
    assert same_in_each_run(done.stdout) == same_in_each_run(output), done.stdout
