# SPDX-License-Identifier: MIT
"""The small parts of the real HALs: clock, random, board, and which crypto is taken."""

import os

from tests.helpers.agent.both import MICROPYTHON, crypto, raises, temporary_path

if MICROPYTHON:
    from hal.device import RESTART_STATUS, Board, Clock, Random
else:
    from hal import host
    from hal.host import RESTART_STATUS, Board, Clock, Random


def test_the_clock_goes_forward_as_far_as_one_sleeps():
    clock = Clock()
    start = clock.monotonic()
    clock.sleep(30)
    passed = clock.monotonic() - start
    assert 29 <= passed < 5000 and isinstance(passed, int)
    # This machine knows the time.
    assert clock.wall() > 1735689600 and isinstance(clock.wall(), int)


def test_random_bytes():
    random = Random()
    assert len(random.bytes(33)) == 33 and random.bytes(16) != random.bytes(16)
    assert random.bytes(0) == b""


def test_a_board_without_wires():
    board = Board("00270DC01C92", "8861", "1.0")
    assert (board.mac, board.model, board.version) == ("00270DC01C92", "8861", "1.0")
    board.watchdog()
    board.led(True)
    assert raises(SystemExit, board.restart).args[0] == RESTART_STATUS


def test_a_boards_wires_are_files():
    if not MICROPYTHON:
        return
    led, watchdog = temporary_path(), temporary_path()
    board = Board("00270DC01C92", "8861", watchdog=watchdog, led=led)
    for on, text in ((True, "1"), (False, "0")):
        board.led(on)
        with open(led) as file:
            assert file.read() == text
    board.watchdog()
    board.watchdog()
    with open(watchdog, "rb") as file:
        assert file.read() == b"\0\0"


def test_a_board_without_a_clock_chip_does_not_know_the_time():
    if not MICROPYTHON:
        return
    from hal import device

    known = device.FIRST_SENSIBLE_TIME
    device.FIRST_SENSIBLE_TIME = 1 << 40
    try:
        assert Clock().wall() is None
    finally:
        device.FIRST_SENSIBLE_TIME = known


def test_the_phone_computes_with_libphonetrust():
    assert not MICROPYTHON or crypto().name == "libphonetrust"


def test_the_host_falls_back_where_the_library_is_not_built():
    if MICROPYTHON:
        return
    kept = {name: os.environ.pop(name, None) for name in ("PHONETRUST_LIBRARY", "PHONETRUST_CRYPTO")}
    try:
        assert host.crypto().name == "libphonetrust"
        assert host.crypto("cryptography").name == "cryptography"
        os.environ["PHONETRUST_LIBRARY"] = temporary_path()
        assert host.crypto().name == "cryptography"
        raises(OSError, host.crypto, "native")
        os.environ["PHONETRUST_CRYPTO"] = "native"
        raises(OSError, host.crypto)
        os.environ["PHONETRUST_CRYPTO"] = "openssl"
        raises(ValueError, host.crypto)
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
