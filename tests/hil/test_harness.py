# SPDX-License-Identifier: MIT
"""The harness itself: a board that does not start is an error within seconds, and a broken harness fails, not skips."""

import os
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

import pytest
from labgrid.driver.exception import ExecutionError
from labgrid.strategy import StrategyError

from host_tools.board import emulator
from host_tools.hil import environment as environments
from host_tools.hil import record
from host_tools.hil.phone import BoardPhone, ConsoleError
from host_tools.image import board as boards
from host_tools.image import fat, layout
from tests.helpers.board import raw_card
from tests.helpers.board.commands import inner
from tests.helpers.board.images import build_image


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return build_image("qemu-virt", tmp_path_factory.mktemp("harness") / "virt.img")


@pytest.fixture
def strategy_of(tmp_path, image):
    """strategy_of(arguments for QEMU) -> strategy of an emulated qemu-virt; its environment's file is in tmp_path."""
    opened = []

    def make(*extra, boot_limit=180):
        path = tmp_path / "environment.yaml"
        path.write_text(
            f"""\
imports: [host_tools.hil]
images: {{card: {image}}}
options: {{board: qemu-virt, listen: 127.0.0.1, address: 10.0.2.2}}
targets:
  harness:
    features: [card, cable, power-cut]
    drivers:
      EmulatedCardDriver: {{path: {tmp_path}/card}}
      EmulatedBoardDriver: {{board: qemu-virt, extra: [{", ".join(extra)}]}}
      PhoneStrategy: {{boot_limit: {boot_limit}}}
"""
        )
        opened.append(environments.load(path))
        return opened[-1].get_target("harness").get_driver("PhoneStrategy")

    yield make
    for one in opened:
        one.cleanup()


def test_a_qemu_that_does_not_start_is_an_error_with_its_words_and_no_hang(strategy_of):
    strategy = strategy_of("-no-such-option")
    strategy.transition("flashed")
    begun = time.monotonic()
    with pytest.raises(StrategyError) as caught:
        strategy.transition("on")
    assert isinstance(caught.value.__cause__, ExecutionError)
    assert "QEMU did not start" in str(caught.value.__cause__) and "-no-such-option" in str(caught.value.__cause__)
    assert time.monotonic() - begun < 10
    with pytest.raises(StrategyError):  # the strategy stays broken, so that the next test does not go on
        strategy.transition("off")


def test_a_socket_listens_only_after_its_file_is_there(tmp_path):
    """A connection in between is refused, so the emulator waits for more than the file."""
    path = tmp_path / "the console"
    with socket.socket(socket.AF_UNIX) as console:
        console.bind(str(path))
        assert path.exists() and not emulator.listens(path)
        console.listen()
        assert emulator.listens(path)


def test_a_card_without_an_image_is_an_error(strategy_of, tmp_path):
    (tmp_path / "card").write_bytes(bytes(1 << 26))
    with pytest.raises(StrategyError) as caught:
        strategy_of().transition("on")
    assert "has no partition table" in str(caught.value.__cause__)


def test_a_board_that_says_nothing_is_an_error_with_what_was_heard(strategy_of, tmp_path):
    strategy = strategy_of()
    strategy.transition("flashed")
    boot, _ = layout.boot_and_store(tmp_path / "card")
    fat.write(tmp_path / "card", boot.offset, "cmdline.txt", b"console=ttyAMA0,115200 rdinit=/bin/nothing panic=0")
    phone = BoardPhone(strategy)
    strategy.transition("on")
    phone.expect("Kernel panic", 120)
    strategy.boot_limit = 1
    with pytest.raises(ConsoleError, match="not within 1 s(.|\n)*Kernel panic"):
        phone.await_ready()
    strategy.transition("off")


def test_states_have_names_and_unknown_cannot_be_reached(strategy_of):
    with pytest.raises(StrategyError) as caught:
        strategy_of().transition("unknown")
    assert "a phone cannot be brought" in caught.value.__cause__.msg
    with pytest.raises(StrategyError) as caught:
        strategy_of().transition("trustd")
    assert isinstance(caught.value.__cause__, KeyError)


def test_qemu_virt_boots_the_same_system(strategy_of, cluster, serving, settings, measured):
    phone = BoardPhone(strategy_of())
    record_file = record.FOLDER / "console-harness.log"
    phone.new(**settings)
    assert phone.boot() == ("trusted", "nonsecure", False)
    assert phone.decisions()["itl"] == ("accepted", "first-use")
    measured("seconds to trusted", phone.seconds("state trusted"))
    phone.strategy.transition("off")
    assert "on QEMU virt, MAC" in record_file.read_text(errors="replace")


def test_qemu_virt_starts_its_slots_through_u_boot(strategy_of, tmp_path):
    """The slot is read from the SD card behind PCI and verified; the try is stored before it begins."""
    phone = BoardPhone(strategy_of())
    phone.power.start = "u-boot"
    phone.new(tftp=["192.0.2.1"])
    with phone.card.in_pc() as path:
        raw_card.write_environment(path, {"slot": "a", "upgrade_available": "1", "bootcount": "0"})
    phone.strategy.transition("on")
    phone.expect("slot b, boot trial", 120)
    assert "sha256,rsa2048:image-" in phone.heard
    phone.strategy.transition("off")
    words, whole = layout.read_environment(tmp_path / "card")
    assert (words["slot"], words["bootcount"], whole) == ("a", "1", [True, True])


def test_a_broken_harness_fails_each_test_and_skips_none(strategy_of, tmp_path):
    strategy_of("-no-such-option")  # writes the environment
    path = tmp_path / "environment.yaml"
    path.write_text(path.read_text().replace("  harness:", "  main:"))
    report = tmp_path / "report.xml"
    names = ["test_first_boot_to_trusted", "test_second_boot_changes_nothing", "test_reset_restarts_the_board"]
    tests = [f"tests/hil/test_phone.py::{name}" for name in names]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--lg-env", path, f"--junitxml={report}", *tests],
        cwd=boards.TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280,
        env={**os.environ, **inner(report)}, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    suite = next(xml.parse(report).iter("testsuite"))
    assert (int(suite.get("failures")) + int(suite.get("errors")), suite.get("skipped")) == (3, "0"), done.stdout
    assert "the harness is broken since an earlier test" in done.stdout
