# SPDX-License-Identifier: MIT
"""Boot images (FIT) as the phone reads them, whole and broken, and U-Boot's environment."""

import struct

from agent.errors import Malformed
from agent.formats import bootenv, fit
from agent.formats.header import Header
from tests.helpers.agent.both import own_vector, raises


def image(name="board"):
    """The boot image inside a load of tests/vectors_own/loads."""
    data = own_vector("loads/%s.sgn" % name)
    return data[Header(data).length :]


def parse(data, size=None):
    return fit.Fit(lambda offset, count: data[offset : offset + count], len(data) if size is None else size)


def test_what_an_image_says_of_itself():
    found = parse(image("new"))
    assert found.text(fit.NAME) == "phonetrust-rpi3-0.2.0"
    assert (found.text(fit.BOARD), found.text(fit.VERSION), found.number(fit.FORMAT)) == ("rpi3", "0.2.0", 1)
    assert found.properties["/images/kernel/data"][1] == 130000
    assert found.text("/no-such-property") is None and found.number("/no-such-property") is None


def test_a_property_of_another_kind_is_malformed():
    found = parse(image())
    assert "has 3000 bytes" in str(raises(Malformed, found.text, "/images/kernel/data"))
    assert "must be 4 bytes" in str(raises(Malformed, found.number, fit.NAME))
    assert "not a text that ends in NUL" in str(raises(Malformed, found.text, fit.FORMAT))


def test_every_cut_and_every_wrong_size_is_malformed():
    data = image("text")
    raises(Malformed, parse, data)
    data = image()
    for size in (0, 3, 39, 40, 41, 100, len(data) - 1):
        raises(Malformed, parse, data[:size])
    raises(Malformed, parse, data + b"\0")


def test_every_number_of_the_header_changed():
    data = image()
    for at in range(0, 40, 4):
        for value in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, len(data), len(data) - 4):
            changed = bytearray(data)
            struct.pack_into(">I", changed, at, value)
            try:
                parse(bytes(changed))
            except Malformed:
                pass  # nothing else may be raised, and nothing may be read outside


def test_every_word_of_the_structure_changed():
    data = image()
    start, size = struct.unpack_from(">I", data, 8)[0], struct.unpack_from(">I", data, 36)[0]
    small = []
    for at in range(start, start + size, 4):
        if not small or at - start < 700 or start + size - at < 700:  # the rest is the kernel's bytes
            small.append(at)
    for at in small:
        for value in (0, 2, 3, 9, 0xFFFFFFF0):
            changed = bytearray(data)
            struct.pack_into(">I", changed, at, value)
            try:
                parse(bytes(changed))
            except Malformed:
                pass


def block(*tokens):
    """A minimal image of these tokens; a string is a property named after it with the value b"x\\0"."""
    strings = b""
    structure = b""
    for token in tokens:
        if isinstance(token, int):
            structure += struct.pack(">I", token)
        elif isinstance(token, bytes):
            structure += struct.pack(">I", 1) + token + bytes(4 - len(token) % 4)
        else:
            structure += struct.pack(">III", 3, 2, len(strings)) + b"x\0\0\0"
            strings += token.encode() + b"\0"
    total = 40 + len(structure) + len(strings)
    head = (fit.MAGIC, total, 40, 40 + len(structure), 40, 17, 16, 0, len(strings), len(structure))
    return struct.pack(">10I", *head) + structure + strings


def test_nodes_and_properties_where_they_do_not_belong():
    assert sorted(parse(block(b"", "a", b"n", "a", 2, 2, 9)).properties) == ["/a", "/n/a"]
    for tokens, words in (
        ((b"", "a", "a", 2, 9), "appears twice"),
        (("a", 2, 9), "where a node or property is due"),
        ((2, 9), "where a node or property is due"),
        ((b"x", 2, 9), "cannot stand here"),
        ((b"", b"", 2, 2, 9), "cannot stand here"),
        ((b"", b"a/b", 2, 2, 9), "slash"),
        ((b"", "a/b", 2, 9), "slash"),
        ((b"", "a", 2), "ends inside a number"),
        ((b"", "a", 2, 2), "has no end"),
        ((b"", "a"), "ends inside a node"),
        ((b"", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"), "cannot stand here"),
        ([b""] + ["p%d" % number for number in range(fit.PROPERTIES_LIMIT + 1)], "more than 128 properties"),
    ):
        assert words in str(raises(Malformed, parse, block(*tokens))), words


def test_an_environment_is_what_was_written():
    data = bootenv.encode(7, {"slot": "b", "bootcount": "2"})
    assert len(data) == bootenv.SIZE
    assert bootenv.decode(data) == (7, {"slot": "b", "bootcount": "2"})
    changed = bytearray(data)
    changed[100] ^= 1
    assert bootenv.decode(changed) is None
    assert bootenv.decode(bytes(bootenv.SIZE)) is None and bootenv.decode(b"\xff" * bootenv.SIZE) is None
    for words in ({"": "x"}, {"a=b": "x"}, {"a": "x\0y"}, {"a": "x" * bootenv.SIZE}):
        raises(ValueError, bootenv.encode, 0, words)


def test_the_newer_copy_counts_also_when_the_counter_goes_round():
    def copy(counter):
        return None if counter is None else (counter, {})

    for first, second, expected in (
        (1, 2, 1), (2, 1, 0), (255, 0, 1), (0, 255, 0), (5, 5, 0), (None, 0, 1), (0, None, 0), (None, None, None),
    ):  # fmt: skip
        assert bootenv.newest([copy(first), copy(second)]) == expected, (first, second)
