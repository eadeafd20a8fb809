# SPDX-License-Identifier: MIT
"""What only the HAL of the device has: the watchdog of a board, and no other cryptography than libphonetrust."""

from hal.device import Board, Hal
from tests.helpers.agent.both import crypto, temporary_path

PYTHONS = ("micropython",)


def test_a_boards_watchdog_is_a_file():
    watchdog = temporary_path()
    board = Board("00270DC01C92", "8861", watchdog=watchdog)
    board.watchdog()
    board.watchdog()
    with open(watchdog, "rb") as file:
        assert file.read() == b"\0\0"


def test_the_phone_computes_with_libphonetrust():
    assert crypto().name == "libphonetrust" and Hal().net.tls_name == "libphonetrust"
