# SPDX-License-Identifier: MIT
"""labgrid's parts for phones: drivers for card and emulated board, the strategy. A labgrid environment imports this.

Importing registers them; boards/*/emulated.yaml and real.yaml use them.
"""

from host_tools.hil.card import EmulatedCardDriver, MuxedCardDriver
from host_tools.hil.emulated_board import EmulatedBoardDriver
from host_tools.hil.serial_console import RecordedSerialDriver
from host_tools.hil.strategy import PhoneStrategy

__all__ = ["EmulatedBoardDriver", "EmulatedCardDriver", "MuxedCardDriver", "PhoneStrategy", "RecordedSerialDriver"]
