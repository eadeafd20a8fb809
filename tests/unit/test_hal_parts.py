# SPDX-License-Identifier: MIT
"""The small parts of the real HALs: clock, random, board. What only one of them has: test_hal_device.py, test_hal_host.py."""

import asyncio

from tests.helpers.agent.both import MICROPYTHON, raises

if MICROPYTHON:
    from hal.device import RESTART_STATUS, Board, Clock, Random
else:
    from hal.host import RESTART_STATUS, Board, Clock, Random


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
