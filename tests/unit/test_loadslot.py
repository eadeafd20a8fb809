# SPDX-License-Identifier: MIT
"""A slot that is written in large pieces: what reaches it, when it is safe, and a body that starts over."""

from agent.flash.loadslot import PIECE, SYNC, Pieces, SlotWriter
from hal.fake.flash import FakeFlash
from tests.helpers.agent.both import raises

HEAP = "4m"


class Sink:
    def __init__(self):
        self.begun = []
        self.blocks = []

    def begin(self, size):
        self.begun.append(size)
        self.blocks = []

    def write(self, block):
        self.blocks.append(bytes(block))


def test_small_blocks_come_in_pieces_and_a_file_may_start_over():
    sink = Sink()
    pieces = Pieces(sink)
    pieces.begin(7)
    pieces.write(b"lost")
    pieces.begin(PIECE + 2)
    pieces.write(b"a" * (PIECE - 1))
    pieces.write(b"b")
    assert sink.blocks == [], "a piece that is full waits for more"
    pieces.write(b"cc")
    pieces.finish()
    pieces.finish()
    assert sink.begun == [7, PIECE + 2]
    assert sink.blocks == [b"a" * (PIECE - 1) + b"b", b"cc"]
    pieces.write(b"d")
    pieces.write(b"e" * (PIECE + 1))
    assert sink.blocks[2:] == [b"d", b"e" * (PIECE + 1)], "what is larger than a piece goes as it is"


def test_a_body_is_safe_when_it_ends_and_may_start_over():
    flash = FakeFlash(2 * PIECE)
    heard = []
    writer = SlotWriter(flash, heard.append)
    writer.write(b"x" * (PIECE + 5))
    assert (writer.size, flash.writes, heard) == (PIECE + 5, 1, [PIECE])
    writer.begin(None)
    writer.write(b"y" * 9)
    writer.finish()
    assert (writer.size, heard) == (9, [PIECE, 9])
    assert flash.unsynced() == 0 and bytes(flash.data[:10]) == b"y" * 9 + b"x"


def test_a_long_body_is_synced_on_its_way():
    flash = FakeFlash(SYNC + PIECE)
    writer = SlotWriter(flash)
    for number in range(SYNC // PIECE):
        assert flash.unsynced() == number
        writer.write(bytes(PIECE))
    assert flash.unsynced() == 0
    writer.write(bytes(PIECE))
    assert flash.unsynced() == 1


def test_a_body_longer_than_its_slot():
    flash = FakeFlash(PIECE)
    writer = SlotWriter(flash)
    writer.write(bytes(PIECE))
    assert raises(OSError, writer.write, b"x").args[0] == 28
    assert writer.size == PIECE
