# SPDX-License-Identifier: MIT
"""`phonetrust flash --keep-trust`: the slots are written anew, and the phone's own trust, settings and MIC stay, also where the
write is interrupted."""

import os
import random
import shutil
import struct

import pytest

from host_tools.board import card as cards
from host_tools.flash import keeping, writer
from host_tools.image import fat, layout
from tests.helpers.board import raw_card
from tests.helpers.board.commands import phonetrust

MIB = 1 << 20
SETTINGS = b'{"mac": "00270DC01C92"}\n'
MIC = b"-----BEGIN CERTIFICATE-----\nof this phone, and its key\n"


class Interrupted(Exception):
    """The power fails."""


@pytest.fixture(scope="module")
def used(image, tmp_path_factory):
    """A card that a phone used: settings, a MIC, a trust store, other bytes in its slots."""
    path = tmp_path_factory.mktemp("used") / "card"
    shutil.copyfile(image, path)
    boot, store = layout.boot_and_store(path)
    fat.write(path, boot.offset, "phone.json", SETTINGS)
    fat.write(path, boot.offset, "mic.pem", MIC)
    raw_card.write_store(path, random.Random(7).randbytes(store.size))
    cards.write_slot(path, 0, random.Random(8).randbytes(3 * MIB))
    raw_card.write_environment(path, {"slot": "b"})
    return path


@pytest.fixture
def card(used, tmp_path):
    shutil.copyfile(used, tmp_path / "card")
    return tmp_path / "card"


def own_files(path):
    offset = layout.boot_and_store(path)[0].offset
    return fat.read(path, offset, "phone.json"), fat.read(path, offset, "mic.pem")


def check_renewed(image, card, used):
    """All but the store and the two files is the image's."""
    assert raw_card.read_store(card) == raw_card.read_store(used), "the trust store is the same byte for byte"
    assert own_files(card) == (SETTINGS, MIC)
    for part in layout.parts(image)[2:]:
        with open(image, "rb") as new, open(card, "rb") as old:
            new.seek(part.offset)
            old.seek(part.offset)
            assert new.read(part.size) == old.read(part.size), "a slot and its copy of the environment"
    with open(card, "rb") as file:
        file.seek(-MIB, os.SEEK_END)
        assert not any(file.read()), "no copy of the phone's key is left behind"


def test_all_but_the_trust_is_renewed(image, card, used):
    done = phonetrust("flash", image, card, "--keep-trust", "--yes")
    assert done.returncode == 0 and "beside the trust that was there" in done.stdout, done.stderr
    check_renewed(image, card, used)


def test_an_interrupted_write_loses_neither_trust_nor_files(image, card, used):
    """Cut in the table, in the boot partition (its FAT, its root folder, its files), before, in and behind the slots."""
    kept = keeping.kept_ranges(image, card)

    def cut_at(block):
        def hear(done):
            if done == block * MIB:
                raise Interrupted

        return hear

    for block in (1, 2, 3, 20, 57, 62, 90, 128):
        with pytest.raises(Interrupted), keeping.with_files_of(image, card, lambda text: None) as source:
            writer.write(source, card, cut_at(block), kept)
        assert raw_card.read_store(card) == raw_card.read_store(used), block
    done = phonetrust("flash", image, card, "--keep-trust", "--yes")
    assert done.returncode == 0, done.stderr
    assert "an earlier write was interrupted; phone.json and mic.pem of the phone are kept" in done.stderr
    check_renewed(image, card, used)


def test_a_stash_that_was_cut_itself_does_not_count(image, card, used):
    with open(card, "r+b") as file:
        file.seek(-MIB, os.SEEK_END)
        file.write(keeping.MAGIC + struct.pack(">I", 20) + bytes(32) + b'{"phone.json": "e30="}')
    assert phonetrust("flash", image, card, "--keep-trust", "--yes").returncode == 0
    check_renewed(image, card, used)


def test_a_card_of_0_1_keeps_its_trust(image, card, used):
    """Such a card has the same boot partition and store, and no slots."""
    with open(card, "r+b") as file:
        file.seek(layout.TABLE + 2 * 16)
        file.write(bytes(32))
    assert phonetrust("flash", image, card, "--keep-trust", "--yes").returncode == 0
    check_renewed(image, card, used)


def moved(card):
    with open(card, "r+b") as file:
        file.seek(layout.TABLE + 16 + 8)
        start = struct.unpack("<I", file.read(4))[0]
        file.seek(-4, os.SEEK_CUR)
        file.write(struct.pack("<I", start + 2048))


def shorter(card):
    with open(card, "r+b") as file:
        file.seek(layout.TABLE + 16 + 12)
        file.write(struct.pack("<I", 4096))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (moved, "its trust store lies elsewhere than the image's; it cannot be kept"),
        (shorter, "its trust store lies elsewhere than the image's; it cannot be kept"),
        (lambda card: card.write_bytes(bytes(MIB)), "holds no phone's trust that could be kept"),
        (lambda card: os.truncate(card, 59 * MIB), "it was cut short"),
        (lambda card: card.unlink(), "holds no phone's trust that could be kept"),
    ],
)
def test_a_card_of_another_layout_is_refused_and_left_alone(image, card, spoil, why):
    spoil(card)
    before = card.read_bytes() if card.exists() else None
    done = phonetrust("flash", image, card, "--keep-trust", "--yes")
    assert done.returncode == 1 and why in done.stderr, done.stderr
    assert (card.read_bytes() if card.exists() else None) == before
