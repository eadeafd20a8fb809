# SPDX-License-Identifier: MIT
"""`make run` as it is typed: all its scenes on the board that QEMU boots."""

from tests.helpers.servers.demonstration import REASONS, demonstrated


def test_the_booted_board():
    assert demonstrated("board") == REASONS
