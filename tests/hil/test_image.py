# SPDX-License-Identifier: MIT
"""Images, looked at from outside: what a Pi's boot ROM and firmware need, sizes, the same bytes each time."""

import hashlib
import json
import lzma
import re

import pytest

from host_tools.image import board as boards
from host_tools.image import build as builder
from host_tools.image import fat, layout, packages, programs, settings
from host_tools.image.errors import ImageError
from tests.helpers.board.commands import phonetrust
from tests.helpers.board.images import build_image

MIB = 1 << 20
RASPBERRY = [name for name in boards.names() if boards.load(name).boot.firmware]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """{board: image} of all boards."""
    folder = tmp_path_factory.mktemp("images")
    return {name: build_image(name, folder / f"{name}.img") for name in boards.names()}


def boot_offset(image):
    return layout.boot_and_store(image)[0].offset


@pytest.mark.parametrize("name", boards.names())
def test_sizes(images, name, measured):
    files = fat.names(images[name], boot_offset(images[name]))
    measured("FAT files, MB", round(sum(files.values()) / 1e6, 1))
    measured("initramfs, MB", round(files["initramfs.img"] / 1e6, 2))
    assert sum(files.values()) < 24e6
    assert files["initramfs.img"] < 5e6
    assert images[name].stat().st_size == 64 * MIB


def test_two_builds_of_the_same_packages_are_the_same_bytes(images, tmp_path):
    board = boards.load("rpi3")
    again = build_image("rpi3", tmp_path / "again.img")
    assert again.read_bytes() == images["rpi3"].read_bytes()
    # Also with nothing kept from the first build but the packages.
    cache = tmp_path / "cache"
    cache.mkdir()
    unpacked = packages.unpack(board.packages, boards.TOP / "build", lambda text: None)
    files, _ = builder.boot_files(board, boards.TOP, unpacked, cache, builder.Content(), lambda text: None)
    offset = boot_offset(again)
    for name, content in files.items():
        assert hashlib.sha256(content).digest() == hashlib.sha256(fat.read(again, offset, name)).digest(), name


@pytest.mark.parametrize("name", RASPBERRY)
def test_boot_rom_reads_the_partition_table(images, name):
    sector = images[name].read_bytes()[:512]
    assert sector[510:] == b"\x55\xaa"
    entry = sector[446:462]
    assert entry[4] == 0x0C, "the first partition is FAT32 with LBA"
    start, count = int.from_bytes(entry[8:12], "little"), int.from_bytes(entry[12:16], "little")
    with open(images[name], "rb") as image:
        image.seek(start * 512)
        boot = image.read(512)
    assert boot[510:] == b"\x55\xaa" and boot[82:90] == b"FAT32   "
    assert int.from_bytes(boot[11:13], "little") == 512, "bytes a sector"
    assert int.from_bytes(boot[32:36], "little") == count, "the file system is as large as its partition"
    assert int.from_bytes(boot[22:24], "little") == 0, "FAT32 has no 16-bit size of its FAT"
    clusters = count // boot[13]
    assert clusters > 65525, "fewer clusters are FAT16 by definition"


@pytest.mark.parametrize("name", RASPBERRY)
def test_firmware_finds_its_files(images, name):
    offset = boot_offset(images[name])
    files = fat.names(images[name], offset)
    board = boards.load(name)
    config = read_config(fat.read(images[name], offset, "config.txt").decode())
    start = next(file for file in board.boot.firmware if file.startswith("start"))
    assert set(board.boot.firmware) <= set(files)
    assert start.replace("start", "fixup").replace(".elf", ".dat") in files, "start and fixup files are a pair"
    assert ("bootcode.bin" in files) == (name == "rpi3"), "the Pi 4 has its first stage in an EEPROM"
    assert config["kernel"] in files and config["cmdline"] in files
    assert config["initramfs"].split()[0] in files and config["initramfs"].split()[1] == "followkernel"
    assert config["arm_64bit"] == "1" and config["enable_uart"] == "1" and config["upstream_kernel"] == "1"
    kernel = fat.read(images[name], offset, config["kernel"])
    assert kernel[:2] == b"\x1f\x8b", "gzip, which the firmware unpacks"
    for tree in (file for file in files if file.endswith(".dtb")):
        assert fat.read(images[name], offset, tree)[:4] == b"\xd0\x0d\xfe\xed"


@pytest.mark.parametrize("name", RASPBERRY)
def test_firmware_knows_the_keys_of_config(images, name):
    offset = boot_offset(images[name])
    board = boards.load(name)
    firmware = b"".join(fat.read(images[name], offset, file) for file in board.boot.firmware if file.endswith(".elf"))
    words = set(re.findall(rb"[a-z][a-z0-9_]{2,}", firmware))
    for key in read_config(fat.read(images[name], offset, "config.txt").decode()):
        assert key.encode() in words, f"config.txt: {key} is no word of this firmware"
    assert b"config_is_no_such_key" not in words


@pytest.mark.parametrize("name", RASPBERRY)
def test_device_tree_is_of_this_board_and_its_console(images, name, tmp_path):
    """Compatible names, and that the console of cmdline.txt is the UART on the pins."""
    board = boards.load(name)
    offset = boot_offset(images[name])
    chip = {"rpi3": "brcm,bcm2837", "rpi4": "brcm,bcm2711"}[name]
    for tree in board.boot.device_trees:
        path = tmp_path / "tree.dtb"
        path.write_bytes(fat.read(images[name], offset, tree.rpartition("/")[2]))
        compatible = programs.run("fdtget", path, "/", "compatible").decode().split()
        assert chip in compatible
        serial = programs.run("fdtget", path, "/aliases", "serial1").decode().strip()
        assert "brcm,bcm2835-aux-uart" in programs.run("fdtget", path, serial, "compatible").decode().split()
    assert board.phone.console == "ttyS1"


def read_config(text):
    """{key: value} of config.txt; every line is one setting, a comment or blank."""
    found = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, value = line.partition("=") if "=" in line else line.partition(" ")
            assert re.fullmatch(r"[a-z0-9_]+", key) and value, line
            found[key] = value.strip()
    return found


def test_image_info_says_what_is_in_it(images):
    done = phonetrust("image", "info", images["rpi3"], "--json")
    facts = json.loads(done.stdout)
    assert facts["board"] == "rpi3" and not facts["provisioned"] and facts["settings"] == {}
    assert [part["kind"] for part in facts["partitions"]] == [layout.FAT32_LBA, layout.RAW]


def test_provisioned_image_holds_the_list_and_takes_no_first_one(tmp_path):
    image = tmp_path / "phone.img"
    vectors = boards.TOP / "tests/vectors"
    arguments = [
        "--provision",
        vectors / "itl-base.tlv",
        "--set",
        "mac=00270DC01C92",
        "--set",
        "tftp=192.0.2.1,192.0.2.2",
    ]
    done = phonetrust("image", "build", "qemu-virt", "-o", image, *arguments)
    assert done.returncode == 0, done.stderr
    facts = json.loads(phonetrust("image", "info", image, "--json").stdout)
    assert facts["provisioned"]
    assert facts["settings"] == {
        "mac": "00270DC01C92", "tftp": ["192.0.2.1", "192.0.2.2"], "policy": "provisioned-only"
    }  # fmt: skip


@pytest.mark.parametrize("vector", ["bad-signature-bit.tlv", "bad-truncated.tlv", "itl-over64k.tlv", "README.md"])
def test_a_list_that_no_phone_would_take_is_not_put_in(tmp_path, vector):
    image = tmp_path / "phone.img"
    done = phonetrust("image", "build", "qemu-virt", "-o", image, "--provision", boards.TOP / "tests/vectors" / vector)
    assert done.returncode == 2 and "no phone would take it" in done.stderr
    assert not image.exists()


@pytest.mark.parametrize(
    "words, complaint",
    [(["tfpt=1"], "tfpt"), (["mac"], "key=value"), (["mac=1"], "12 hexadecimal"), (["model=1", "model=2"], "twice")],
)
def test_settings_with_mistakes_are_no_settings(words, complaint):
    with pytest.raises(ImageError, match=complaint):
        settings.from_words(words)


def test_initramfs_holds_nothing_of_the_builders(images):
    """Only what the phone needs: no shell profile, no keys, no names of this PC; owner root, time zero."""
    image = images["rpi3"]
    archive = fat.read(image, boot_offset(image), "initramfs.img")
    names = []
    while archive:
        reader = lzma.LZMADecompressor()
        plain = reader.decompress(archive)
        archive = reader.unused_data.lstrip(b"\0")
        names += list(entries(plain))
    assert "init" in names and "phone/agent/main.mpy" in names and "phone/libphonetrust.so" in names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"bin", "boot", "dev", "etc", "init", "lib", "phone", "proc", "run", "sys", "tmp"}


def entries(archive):
    """Names in a cpio archive whose owners and times are all as they must be."""
    at = 0
    while True:
        fields = [int(archive[at + 6 + 8 * index : at + 14 + 8 * index], 16) for index in range(13)]
        _, _, owner, group, _, time, size = fields[:7]
        name = archive[at + 110 : at + 110 + fields[11] - 1].decode()
        if name == "TRAILER!!!":
            return
        assert (owner, group, time) == (0, 0, 0), name
        yield name
        at = (at + 110 + fields[11] + 3) // 4 * 4
        at = (at + size + 3) // 4 * 4
