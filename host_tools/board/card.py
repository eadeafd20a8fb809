# SPDX-License-Identifier: MIT
"""What a person does to a card on a PC: edit phone.json, look at or overwrite the trust store. The board must be off."""

from host_tools.image import fat, layout, settings


def read_settings(card):
    """phone.json of a card (file or device) -> {key: value}."""
    boot, _ = layout.boot_and_store(card)
    return settings.decode(fat.read(card, boot.offset, "phone.json"))


def change_settings(card, changes):
    """Set the keys of `changes` in phone.json; None removes one. ImageError where phone.json is no JSON object."""
    values = read_settings(card)
    for key, value in changes.items():
        values.pop(key, None)
        if value is not None:
            values[key] = value
    boot, _ = layout.boot_and_store(card)
    fat.write(card, boot.offset, "phone.json", settings.encode(values))


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
