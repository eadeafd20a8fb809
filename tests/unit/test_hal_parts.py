# SPDX-License-Identifier: MIT
"""The small parts of the real HALs: clock, random, board, and which crypto is taken."""

import asyncio
import os

from tests.helpers.agent.both import MICROPYTHON, crypto, raises, temporary_path

if MICROPYTHON:
    from hal.device import RESTART_STATUS, Board, Clock, Hal, Random
else:
    from hal import host
    from hal.host import RESTART_STATUS, Board, Clock, Hal, Random


def test_the_clock_goes_forward_as_far_as_one_sleeps():
    clock = Clock()

    async def sleep():
        start = clock.monotonic()
        await clock.sleep(30)
        passed = clock.monotonic() - start
        await clock.sleep(-5)
        return passed

    passed = asyncio.run(sleep())
    assert 29 <= passed < 5000 and isinstance(passed, int)


def test_all_clocks_agree_as_deadlines_pass_between_parts():
    first = Clock()
    asyncio.run(first.sleep(20))
    assert abs(Clock().monotonic() - first.monotonic()) < 1000


def test_random_bytes():
    random = Random()
    assert len(random.bytes(33)) == 33 and random.bytes(16) != random.bytes(16)
    assert random.bytes(0) == b""


def test_a_board_without_a_watchdog():
    board = Board("00270DC01C92", "8861")
    assert (board.mac, board.model) == ("00270DC01C92", "8861")
    board.watchdog()
    assert raises(SystemExit, board.restart).args[0] == RESTART_STATUS


def test_a_boards_watchdog_is_a_file():
    if not MICROPYTHON:
        return
    watchdog = temporary_path()
    board = Board("00270DC01C92", "8861", watchdog=watchdog)
    board.watchdog()
    board.watchdog()
    with open(watchdog, "rb") as file:
        assert file.read() == b"\0\0"


def test_the_phone_computes_with_libphonetrust():
    if MICROPYTHON:
        assert crypto().name == "libphonetrust" and Hal().net.tls_name == "libphonetrust"


def test_the_host_falls_back_where_the_library_is_not_built():
    if MICROPYTHON:
        return
    kept = {name: os.environ.pop(name, None) for name in ("PHONETRUST_LIBRARY", "PHONETRUST_CRYPTO")}
    try:
        assert host.crypto().name == "libphonetrust" and Hal().net.tls_name == "libphonetrust"
        assert host.crypto("cryptography").name == "cryptography" and host.tls("cryptography").name == "ssl"
        os.environ["PHONETRUST_LIBRARY"] = temporary_path()
        assert host.crypto().name == "cryptography" and Hal().net.tls_name == "ssl"
        raises(OSError, host.crypto, "native")
        raises(OSError, host.tls, "native")
        os.environ["PHONETRUST_CRYPTO"] = "native"
        raises(OSError, host.crypto)
        os.environ["PHONETRUST_CRYPTO"] = "openssl"
        raises(ValueError, host.crypto)
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
