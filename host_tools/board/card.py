# SPDX-License-Identifier: MIT
"""What a person does to a card on a PC: edit phone.json, look at or overwrite the trust store. The board must be off."""

from host_tools.image import board as boards
from host_tools.image import cpio, fat, initramfs, layout, settings


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


def add_programs(card, board, entries):
    """Put other programs of the phone on a card: {path below /programs: cpio.Entry}, appended to its initramfs.

    board: name of a folder of boards/. The executables directly in /programs are started beside the agent
    (host_tools/image/rootfs/programs). They stay until the next image is written. ImageError where they do not fit."""
    add_files(card, board, {f"programs/{path}": entry for path, entry in entries.items()})


def add_files(card, board, entries):
    """The same for files anywhere: {path: cpio.Entry}, as host_tools.image.phone_programs gives them."""
    boot, _ = layout.boot_and_store(card)
    name = boards.load(board).boot.initramfs
    archive = fat.read(card, boot.offset, name) + initramfs.compressed(cpio.archive(entries))
    fat.write(card, boot.offset, name, archive)


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
