# SPDX-License-Identifier: MIT
"""`phonetrust board`: the list of boards, and a board that runs beside a lab cluster that is made for it."""

import json
import subprocess

from host_tools.console import port
from tests.helpers.board.commands import COMMAND, phonetrust
from tests.helpers.board.images import build_image


def test_list():
    found = {board["name"]: board["emulated"] for board in json.loads(phonetrust("board", "list", "--json").stdout)}
    assert found == {"qemu-virt": True, "rpi3": True, "rpi4": False}


def test_run_boots_against_a_cluster_of_its_own_and_keeps_its_card(tmp_path):
    image = build_image("qemu-virt", tmp_path / "phone.img")
    arguments = ["--image", image, "--cluster", tmp_path / "cluster", "--until", "state trusted", "--timeout", 200]
    done = phonetrust("board", "run", "qemu-virt", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "on QEMU virt, MAC 00270DC01C92" in done.stdout and "itl accepted first-use" in done.stdout
    done = phonetrust("board", "run", "qemu-virt", *arguments, "--keep-card")
    assert done.returncode == 0 and "itl accepted unchanged" in done.stdout


def test_the_console_of_a_board_that_runs_elsewhere(tmp_path):
    image = build_image("qemu-virt", tmp_path / "phone.img")
    run = ["board", "run", "qemu-virt", "--image", image, "--cluster", tmp_path / "cluster"]
    process = subprocess.Popen(
        [*COMMAND, *map(str, run), "--no-console"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        assert b"Ctrl-C powers it off" in process.stdout.readline()
        shown = phonetrust("console", "qemu-virt", "--until", "ready; type help", "--timeout", 200)
        assert shown.returncode == 0 and "power-on: phonetrust" in shown.stdout, "from the first line on"
        shown = phonetrust("console", "qemu-virt", "--send", "show security", "--until", "Policy", "--timeout", 60)
        assert shown.returncode == 0
        second = phonetrust(*run)
        assert second.returncode == 2 and "qemu-virt runs already" in second.stderr
    finally:
        process.terminate()
        assert process.wait(20) == 143
        process.stdout.close()
    assert not (port.RUNNING / "qemu-virt/console").exists(), "the board went with the command"


def test_what_cannot_be_run_is_said():
    done = phonetrust("board", "run", "rpi33")
    assert done.returncode == 2 and "no board 'rpi33'; did you mean 'rpi3'?" in done.stderr
    done = phonetrust("board", "run", "rpi3", "--image", "/no/image")
    assert done.returncode == 2 and "`phonetrust image build rpi3` builds it" in done.stderr


def test_a_board_that_is_only_hardware(tmp_path):
    done = phonetrust("board", "run", "rpi4", "--image", build_image("rpi4", tmp_path / "pi.img"))
    assert done.returncode == 2 and "rpi4 has no [qemu]; it only exists as hardware" in done.stderr
