# SPDX-License-Identifier: MIT
"""The trust store and U-Boot's environment of a card as bytes, for tests that look at them or damage them."""

from agent.formats import bootenv
from host_tools.image import layout
from host_tools.image.board import ENVIRONMENT_FROM_END


def read_store(card):
    """The bytes of the trust store's partition."""
    _, store = layout.boot_and_store(card)
    with open(card, "rb") as file:
        file.seek(store.offset)
        return file.read(store.size)


def write_store(card, content, at=0):
    """Overwrite bytes of the trust store's partition."""
    _, store = layout.boot_and_store(card)
    if at + len(content) > store.size:
        raise ValueError("outside of the trust store")
    with open(card, "r+b") as file:
        file.seek(store.offset + at)
        file.write(content)


def write_environment(card, words):
    """Overwrite both copies of U-Boot's environment."""
    content = bootenv.encode(0, words)
    with open(card, "r+b") as file:
        for partition in layout.parts(card)[2:]:
            file.seek(partition.offset + partition.size - ENVIRONMENT_FROM_END)
            file.write(content)
