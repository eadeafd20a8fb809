# SPDX-License-Identifier: MIT
"""The set-up scripts where they cannot do their work: a plain message says what is missing, exit status 2."""

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parent.parent.parent / "host_tools" / "setup"


@pytest.fixture
def elsewhere(tmp_path):
    """A function that runs a script on a machine that has the common tools, but no apt."""
    for tool in ("bash", "sh", "env", "awk", "dirname", "sed", "grep", "id", "mkdir", "cat", "uname"):
        (tmp_path / tool).symlink_to(shutil.which(tool))

    def run(*command):
        return subprocess.run(
            [str(SETUP / command[0]), *command[1:]],
            env={"PATH": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_without_apt_the_needed_packages_are_listed(elsewhere):
    done = elsewhere("apt.sh", "micropython")
    assert done.returncode == 2
    assert "not a Debian machine" in done.stderr
    assert "mmdebstrap" in done.stderr and "qemu-user-static" in done.stderr


def test_an_unknown_group_is_named(elsewhere):
    done = elsewhere("apt.sh", "nonsense")
    assert done.returncode == 2
    assert "'nonsense'" in done.stderr


def test_an_unknown_architecture_is_named(elsewhere):
    done = elsewhere("micropython.sh", "riscv64")
    assert done.returncode == 2
    assert "'riscv64'" in done.stderr


def test_what_is_installed_costs_nothing():
    done = subprocess.run([SETUP / "apt.sh", "micropython"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
