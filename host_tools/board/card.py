# SPDX-License-Identifier: MIT
"""What a person does to a card on a PC: edit phone.json, add programs, overwrite a slot. The board must be off."""

import json

from host_tools.image import board as boards
from host_tools.image import bootloader, cpio, fat, fit, initramfs, keys, layout, settings
from host_tools.image.errors import ImageError


def read_settings(card):
    """phone.json of a card (file or device) -> {key: value}."""
    boot, _ = layout.boot_and_store(card)
    return settings.decode(fat.read(card, boot.offset, "phone.json"))


def change_settings(card, changes):
    """Set the keys of `changes` in phone.json; the value None removes a key. ImageError where phone.json is no JSON object."""
    values = read_settings(card)
    for key, value in changes.items():
        values.pop(key, None)
        if value is not None:
            values[key] = value
    boot, _ = layout.boot_and_store(card)
    fat.write(card, boot.offset, "phone.json", settings.encode(values))


def add_files(card, entries):
    """Put files on a card, {path: cpio.Entry} as host_tools.image.phone_programs gives them, into both slots, which are signed
    anew with the development key.

    The executables directly in programs/ are started beside the agent (host_tools/image/rootfs/programs). They stay until
    the next image or load is written. ImageError where they do not fit, or the card believes another key."""
    archive = initramfs.compressed(cpio.archive(entries))
    tools, key = bootloader.tools(boards.TOP, lambda text: None), keys.development(boards.TOP)
    boot, _ = layout.boot_and_store(card)
    if key.fingerprint not in json.loads(fat.read(card, boot.offset, "build.json"))["image keys"]:
        raise ImageError(f"{card}: does not believe the development key, which programs are signed with")
    for number in range(2):
        partition = layout.parts(card)[2 + number]
        image = layout.read_slot(card, partition)
        found = fit.parse(image)
        ramdisk = fit.part(image, found, "ramdisk") + archive
        changed = fit.make(tools, fit.facts_of(found), fit.part(image, found, "kernel"), ramdisk, key)
        write_slot(card, number, changed)


def write_slot(card, number, content, at=0):
    """Overwrite bytes of slot A (0) or B (1)."""
    partition = layout.parts(card)[2 + number]
    if at + len(content) > partition.size - layout.MIB:
        raise ImageError(f"{card}: slot {'ab'[number]} has no room for {len(content)} bytes at {at}")
    with open(card, "r+b") as file:
        file.seek(partition.offset + at)
        file.write(content)
