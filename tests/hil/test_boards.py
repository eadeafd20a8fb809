# SPDX-License-Identifier: MIT
"""Board folders: each folder here can be used, and a mistake in a folder is an error that names file and key."""

import shutil

import pytest

from host_tools.hil import environment
from host_tools.image import board as boards
from host_tools.image.errors import ImageError


@pytest.fixture
def folder(tmp_path):
    """A copy of boards/ to make mistakes in."""
    shutil.copytree(boards.BOARDS, tmp_path / "boards")
    return tmp_path / "boards"


def change(folder, before, after, name="rpi3", file="board.toml"):
    path = folder / name / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


@pytest.mark.parametrize("name", boards.names())
def test_every_board_is_right(name):
    board = boards.load(name)
    assert board.folder.name == name and board.phone.modules


MISTAKES = {
    "misspelt": ("device_trees =", "device_tree =", "unknown key 'device_tree'; did you mean 'device_trees'?"),
    "missing": ('console = "ttyS1"\n', "", "board.toml: key 'phone': key 'console' is missing"),
    "kind": ("size_mib = 128", 'size_mib = "128"', "key 'size_mib': must be a whole number, not '128'"),
    "no power of two": ("size_mib = 128", "size_mib = 129", "key 'image.size_mib': must be a power of two, not 129"),
    "too small": ("store_mib = 4", "store_mib = 8", "key 'image.size_mib': 1 + 56 + 8 + 2 x 32 MiB do not fit in 128"),
    "section": ("[qemu]", "[quemu]", "unknown key 'quemu'; did you mean 'qemu'?"),
    "not toml": ("[image]", "[image", "board.toml: "),
    "device tree": ('device_tree = "bcm2837-rpi-3-b.dtb"', 'device_tree = "x.dtb"', "key 'qemu.device_tree': 'x.dtb'"),
    "watchdog": ('watchdog = "bcm2835_wdt"', 'watchdog = "none"', "key 'phone.watchdog': 'none'"),
    "loader without U-Boot": ('loader = "u-boot.bin"', 'loader = ""', "key 'boot.loader': a board has both"),
    "start": (
        'test_start = "kernel"',
        'test_start = "initrd"',
        "key 'qemu.test_start': 'u-boot' (with [uboot]) or 'kernel', not 'initrd'",
    ),
    "name": ('name = "rpi3"', 'name = "rpi5"', "key 'board.name': 'rpi5' is in the folder 'rpi3'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_file_and_key(folder, mistake):
    before, after, expected = MISTAKES[mistake]
    change(folder, before, after)
    with pytest.raises(ImageError) as caught:
        boards.load("rpi3", folder)
    assert expected in str(caught.value) and str(folder / "rpi3") in str(caught.value)


def test_cmdline_names_the_console_of_the_board(folder):
    change(folder, "console=ttyS1", "console=ttyAMA0", file="cmdline.txt")
    with pytest.raises(ImageError, match="names no console=ttyS1"):
        boards.load("rpi3", folder)


def test_an_unknown_board_is_told_the_known_ones():
    with pytest.raises(ImageError, match="no board 'rpi33'; did you mean 'rpi3'?"):
        boards.load("rpi33")


def test_environments_of_all_boards_are_right():
    paths = sorted(boards.BOARDS.glob("*/*.yaml"))
    assert len(paths) >= 4
    for path in paths:
        assert environment.load(path).config.get_option("board") == path.parent.name


WRONG = {
    "option": ("listen:", "listens:", "options: unknown key 'listens'; did you mean 'listen'?"),
    "driver": ("EmulatedCardDriver: {}", "EmulatedCardDrive: {}", "unknown driver 'EmulatedCardDrive'; did you mean"),
    "attribute": ("{board: rpi3}", "{boart: rpi3}", "EmulatedBoardDriver: unknown key 'boart'; did you mean 'board'?"),
    "target": ("drivers:", "driver:", "targets.main: unknown key 'driver'; did you mean 'drivers'?"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_in_a_labgrid_environment_is_no_warning_but_an_error(folder, mistake):
    before, after, expected = WRONG[mistake]
    change(folder, before, after, file="emulated.yaml")
    with pytest.raises(ImageError) as caught:
        environment.load(folder / "rpi3/emulated.yaml")
    assert expected in str(caught.value)
