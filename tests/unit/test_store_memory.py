# SPDX-License-Identifier: MIT
"""The store with lists as large as they may be, in the little memory that the phone has, on a real file."""

from agent.flash.store import Store
from tests.helpers.agent.both import MICROPYTHON, crypto, raises, temporary_path

HEAP = "512k"
LARGEST = 65536
SIZE = 1 << 20


def flash():
    """A blank file as the flash of this Python's HAL."""
    path = temporary_path()
    if MICROPYTHON:
        from hal.device import Flash

        with open(path, "wb") as file:
            for _ in range(SIZE // 4096):
                file.write(bytes(4096))
        return Flash(path)
    from hal.host import Flash

    return Flash(path, SIZE)


def test_the_largest_lists_are_stored_and_kept_without_a_copy_of_all():
    part = flash()
    store = Store(part, crypto())
    assert part.size == SIZE and store.load() is None
    buffer = bytearray(LARGEST)
    for number in range(LARGEST):
        buffer[number] = number * 7 & 0xFF
    for name in ("ctl", "itl", "configuration"):
        buffer[0] += 1
        store.save({name: buffer})
    del buffer
    again = Store(part, crypto())
    stored = again.load()
    assert stored.generation == 3
    buffer = bytearray(LARGEST)
    for number, name in ((1, "ctl"), (2, "itl"), (3, "configuration")):
        assert stored.read_into(name, buffer) == LARGEST
        assert (buffer[0], buffer[1], buffer[-1]) == (number, 7, (LARGEST - 1) * 7 & 0xFF)
    writer = again.writer()
    writer.keep("itl")
    writer.begin("configuration")
    for _ in range(300):
        writer.write(memoryview(buffer)[:1024])
    writer.commit()
    assert again.load().length("configuration") == 300 * 1024
    part.close()


def test_the_flash_has_an_end():
    part = flash()
    for call in (
        (part.write, SIZE - 1, b"ab"),
        (part.read_into, SIZE, bytearray(1)),
        (part.read_into, -1, bytearray(1)),
    ):
        raises(ValueError, *call)
    part.write(SIZE - 2, b"ab")
    part.sync()
    buffer = bytearray(3)
    part.read_into(SIZE - 3, buffer)
    assert buffer == b"\0ab"
    part.close()


def test_a_flash_that_is_not_there_says_so():
    if MICROPYTHON:
        from hal.device import Flash

        raises(OSError, Flash, "/no/such/partition")
    else:
        from hal.host import Flash

        raises(OSError, Flash, "/no/such/folder/flash", SIZE)
        path = temporary_path()
        Flash(path, SIZE).close()
        raises(OSError, Flash, path, SIZE * 2)
