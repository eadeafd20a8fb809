# SPDX-License-Identifier: MIT
"""The helpers of the unit tests themselves."""

from tests.helpers.agent.both import raises, temporary_path, vector


def test_raises_gives_the_exception_and_fails_without_one():
    assert raises(ValueError, int, "x").args
    try:
        raises(ValueError, int, "7")
    except AssertionError as error:
        assert "no ValueError, but a result: 7" in str(error)
    else:
        raise RuntimeError("a call that raised nothing passed")


def test_vector_reads_whole_files():
    assert len(vector("itl-over64k.tlv")) == 88192
    assert vector("bad-empty.tlv") == b""


def test_temporary_paths_differ_and_can_be_written():
    first, second = temporary_path(), temporary_path()
    assert first != second
    with open(first, "wb") as file:
        file.write(b"x")
    raises(OSError, open, second, "rb")
