# SPDX-License-Identifier: MIT
"""Lines of a console: which are lost when the console takes no output, and which are dropped because they are too long."""

from hal.lines import LONGEST_LINE, ROOM, Input, Output
from tests.helpers.agent.both import raises


class Taker:
    """A console that takes `room` bytes more, None: all. error: what it raises."""

    def __init__(self, room=None):
        self.room = room
        self.shown = b""
        self.error = None

    def send(self, data):
        if self.error:
            raise self.error
        count = len(data) if self.room is None else min(self.room, len(data))
        if self.room is not None:
            self.room -= count
        self.shown += bytes(data[:count])
        return count or None

    def lines(self):
        return self.shown.decode().split("\n")


def test_text_goes_through_at_once_where_it_is_taken():
    taker = Taker()
    output = Output(taker.send)
    assert output.put("a line\nand a ") and output.put("half\n")
    assert taker.shown == b"a line\nand a half\n"


def test_what_is_not_taken_waits_and_keeps_its_order():
    taker = Taker(room=3)
    output = Output(taker.send)
    assert not output.put("first\n") and not output.put("second\n")
    assert taker.shown == b"fir"
    taker.room = 5
    assert not output.push()
    taker.room = None
    assert output.push() and taker.shown == b"first\nsecond\n"


def fill(output, count=3000):
    for number in range(count):
        output.put("line %d\n" % number)


def test_lines_without_room_are_counted_and_told_in_their_place():
    taker = Taker(room=0)
    output = Output(taker.send)
    fill(output)
    taker.room = ROOM // 4
    output.put("not yet\n")
    taker.room = None
    assert output.put("again\n")
    lines = taker.lines()
    kept = lines.index([line for line in lines if line.startswith("[")][0])
    assert lines[:kept] == ["line %d" % number for number in range(kept)]
    assert lines[kept:] == ["[%d lines are missing here: the console did not take them]" % (3001 - kept), "again", ""]
    assert len("\n".join(lines[:kept])) <= ROOM


def test_the_loss_is_told_even_where_nothing_follows():
    taker = Taker(room=0)
    output = Output(taker.send)
    fill(output)
    taker.room = None
    assert output.push() and taker.lines()[-2].startswith("[") and output.push()
    assert len([line for line in taker.lines() if line.startswith("[")]) == 1


def test_a_line_in_pieces_is_lost_whole_from_where_there_was_no_room():
    taker = Taker(room=0)
    output = Output(taker.send)
    output.put("x" * (ROOM - 8) + "\n")
    output.put("begun ")
    for piece in ("and ", "never ", "ended\n"):
        output.put(piece)
    taker.room = None
    assert output.put("next\n")
    assert taker.lines()[1:] == ["begun ", "[1 lines are missing here: the console did not take them]", "next", ""]


def test_a_console_that_has_gone_takes_everything():
    taker = Taker()
    output = Output(taker.send)
    taker.error = OSError(5)
    assert output.put("nobody hears this\n")
    taker.error = None
    assert output.put("nor this\n") and taker.shown == b""


def feed(*pieces):
    """What comes of these bytes, b"" being their end."""
    source = Input()
    found = []
    for piece in pieces:
        source.feed(piece)
        line = source.next()
        while line is not None:
            found.append(line)
            line = source.next()
    return found, source


def test_lines_come_whole_whatever_the_pieces_are():
    assert feed(b"sh", b"ow\r", b"\nitl\n\nx")[0] == ["show", "itl", ""]


def test_the_end_gives_what_was_begun_and_then_is_the_end():
    source = Input()
    source.feed(b"half")
    assert source.next() is None
    source.feed(b"")
    assert source.next() == "half"
    raises(EOFError, source.next)
    raises(EOFError, source.next)


def test_a_line_that_is_too_long_is_dropped_and_takes_no_memory():
    good = b"y" * LONGEST_LINE
    found, source = feed(b"a\n", good + b"\n", good + b"y\nb\n", *[b"z" * 250] * 1000)
    assert found == ["a", good.decode(), "b"]
    assert len(source._typed) <= LONGEST_LINE
    source.feed(b"zz\nlast\n")
    assert source.next() == "last"


def test_a_line_that_is_too_long_is_dropped_at_the_end_of_input_too():
    source = Input()
    source.feed(b"x" * 201)
    assert source.next() is None
    source.feed(b"")
    raises(EOFError, source.next)


def test_bytes_that_are_no_text_are_shown_as_such():
    assert feed(b"a\xff\n")[0] == ["a?"]
