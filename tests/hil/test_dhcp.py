# SPDX-License-Identifier: MIT
"""The phone learns its TFTP servers from a real DHCP server: dnsmasq, in a network namespace of the test's own."""

import os
import shutil
import subprocess
import sys

import pytest

from host_tools.image import board as boards
from tests.helpers.board.images import build_image

# With a process namespace, too: all that was started ends with the test, however that ends.
UNSHARE = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--map-root-user"]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return build_image("qemu-virt", tmp_path_factory.mktemp("dhcp") / "virt.img")


@pytest.fixture(scope="module", autouse=True)
def allowed():
    """Skip where this machine gives a test no network of its own."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for program in ("unshare", "ip", "dnsmasq"):
        if shutil.which(program, path=path) is None:
            pytest.skip(f"{program} is not installed")
    tried = subprocess.run(
        [*UNSHARE, "ip", "tuntap", "add", "dev", "phone0", "mode", "tap"], capture_output=True, text=True,
        env={**os.environ, "PATH": path}, check=False,
    )  # fmt: skip
    if tried.returncode != 0:
        pytest.skip(f"no network namespace with a tap device here: {tried.stderr.strip()}")


@pytest.mark.parametrize(
    "option, learned",
    [
        ("150", 'option 150 ["192.0.2.77", "192.0.2.1"], option 66 []'),
        ("66", 'option 150 [], option 66 ["192.0.2.1"]'),
    ],
)
def test_tftp_servers_learned_by_dhcp(image, tmp_path, option, learned):
    card = tmp_path / "card"
    shutil.copyfile(image, card)
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-m", "tests.helpers.board.option150", card, tmp_path, option],
        cwd=boards.TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(boards.TOP)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "dnsmasq.log").read_text()
    assert learned in done.stdout
    assert "itl accepted first-use" in done.stdout
    assert "state trusted, mode nonsecure" in done.stdout
