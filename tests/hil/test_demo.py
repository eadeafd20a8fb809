# SPDX-License-Identifier: MIT
"""`make run` as it is typed: all its scenes on the board that QEMU boots."""

import pytest

from tests.helpers.servers.demonstration import REASONS, demonstrated


@pytest.mark.timeout(1800)  # its last scene is an update of an emulated board
def test_the_booted_board():
    assert demonstrated("board") == REASONS
