# SPDX-License-Identifier: MIT
"""Images, looked at from outside: what a Pi's boot ROM and firmware need, sizes, the same bytes each time."""

import json
import lzma
import re
import shutil

import pytest

from agent import VERSION
from host_tools.board import card as cards
from host_tools.image import board as boards
from host_tools.image import bootloader, fat, fit, keys, layout, programs, settings, software
from host_tools.image import build as builder
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


def slot(image, number=0):
    """The boot image in slot A (0) or B."""
    return layout.read_slot(image, layout.parts(image)[2 + number])


def boot_offset(image):
    return layout.boot_and_store(image)[0].offset


@pytest.mark.parametrize("name", boards.names())
def test_sizes(images, name, measured):
    files = fat.names(images[name], boot_offset(images[name]))
    image = slot(images[name])
    ramdisk = fit.part(image, fit.parse(image), "ramdisk")
    measured("FAT files, MB", round(sum(files.values()) / 1e6, 1))
    measured("boot image, MB", round(len(image) / 1e6, 1))
    measured("root file system, MB", round(len(ramdisk) / 1e6, 2))
    assert sum(files.values()) < 8e6
    assert len(image) < 20e6
    assert len(ramdisk) < 5e6
    assert images[name].stat().st_size == 128 * MIB


def test_two_builds_of_the_same_packages_are_the_same_bytes(images, tmp_path):
    board = boards.load("rpi3")
    again = build_image("rpi3", tmp_path / "again.img")
    assert again.read_bytes() == images["rpi3"].read_bytes()
    for name in (f"phonetrust-rpi3-{VERSION}.sgn", f"phonetrust-rpi3-{VERSION}.spdx.json"):
        assert (tmp_path / name).read_bytes() == (images["rpi3"].parent / name).read_bytes(), name
    # Also with nothing kept from the first build but the packages.
    software.compile_source.cache_clear()
    cache = tmp_path / "cache"
    cache.mkdir()
    image, _ = builder.boot_image(board, boards.TOP, builder.Content(), lambda text: None, cache)
    assert image == slot(again)


def test_u_boot_built_again_elsewhere_is_the_same_bytes(tmp_path):
    board = boards.load("rpi3")
    built = bootloader.build(board, boards.TOP, lambda text: None)
    (tmp_path / "build/u-boot").mkdir(parents=True)
    (tmp_path / "build/u-boot/source").symlink_to(boards.TOP / "build/u-boot/source")
    assert bootloader.build(board, tmp_path, lambda text: None) == built


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
    assert config["arm_64bit"] == "1" and config["enable_uart"] == "1" and config["upstream_kernel"] == "1"
    loader = fat.read(images[name], offset, config["kernel"])
    assert b"U-Boot 2025.01" in loader and b"phonetrust.boot=" in loader
    image = slot(images[name])
    assert fit.part(image, fit.parse(image), "kernel")[:2] == b"\x1f\x8b", "gzip, which U-Boot unpacks"
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


def test_image_inspect_says_what_is_in_it(images):
    done = phonetrust("image", "inspect", images["rpi3"], "--json")
    facts = json.loads(done.stdout)
    assert facts["board"] == "rpi3" and not facts["provisioned"] and facts["settings"] == {}
    assert [part["kind"] for part in facts["partitions"]] == [layout.FAT32_LBA, *[layout.RAW] * 3]
    assert [(name, found["name"], found["signature"]) for name, found in facts["slots"].items()] == [
        ("a", f"phonetrust-rpi3-{VERSION}", "good"), ("b", f"phonetrust-rpi3-{VERSION}", "good"),
    ]  # fmt: skip
    assert facts["running"] == "a" and facts["environment"] == {"words": {"slot": "a"}, "copies whole": [True, True]}
    assert facts["development"] is True
    shown = phonetrust("image", "inspect", images["rpi3"]).stdout
    assert "slot a, confirmed: phonetrust-rpi3-" in shown and "(development key)" in shown


def test_image_inspect_tells_a_damaged_slot_and_another_key(images, tmp_path):
    card = tmp_path / "card"
    shutil.copyfile(images["rpi3"], card)
    cards.write_slot(card, 1, b"\x00", at=9_000_000)
    other = keys.new(tmp_path / "key", "another maker")
    image = slot(card)
    found = fit.parse(image)
    tools = bootloader.tools(boards.TOP, lambda text: None)
    parts = [fit.part(image, found, name) for name in ("kernel", "ramdisk")]
    cards.write_slot(card, 0, fit.make(tools, fit.facts_of(found), *parts, other))
    slots = json.loads(phonetrust("image", "inspect", card, "--json").stdout)["slots"]
    assert [slots[name]["signature"] for name in "ab"] == ["refused by the keys of this card"] * 2


def test_a_load_is_a_signed_file_with_the_boot_image_in_it(images):
    load = images["rpi3"].parent / f"phonetrust-rpi3-{VERSION}.sgn"
    facts = json.loads(phonetrust("image", "inspect", load, "--json").stdout)
    assert facts["file name"] == load.name and facts["board"] == "rpi3" and facts["version"] == VERSION
    assert facts["signer"] == f"CN={keys.DEVELOPMENT}" and facts["signature"] == "of the development key"
    assert load.read_bytes().endswith(slot(images["rpi3"]))


def test_the_list_of_contents_names_each_part_with_version_and_licence(images):
    found = json.loads((images["rpi3"].parent / f"phonetrust-rpi3-{VERSION}.spdx.json").read_text())
    assert found["spdxVersion"] == "SPDX-2.3" and found["name"] == f"phonetrust-rpi3-{VERSION}"
    packages = {package["name"]: package for package in found["packages"]}
    assert {"u-boot", "micropython", "busybox-static", "libc6", "raspi-firmware", "libffi8"} <= set(packages)
    kernel = next(package for name, package in packages.items() if name.startswith("linux-image-6."))
    assert "GPL-2.0-only" in kernel["licenseDeclared"] and kernel["versionInfo"][0].isdigit()
    extracted = {entry["licenseId"] for entry in found["hasExtractedLicensingInfos"]}
    for name, package in packages.items():
        assert package["versionInfo"] and package["licenseDeclared"] != "NOASSERTION", name
        used = set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", package["licenseDeclared"]))
        assert used <= extracted, name
    assert len(found["relationships"]) == len(packages)


def test_a_key_is_made_once_and_shown(tmp_path):
    folder = tmp_path / "key"
    made = phonetrust("image", "key", "new", folder, "--name", "Example Phones")
    assert made.returncode == 0 and "CN=Example Phones, RSA 2048" in made.stdout
    assert (folder / "image.key").stat().st_mode & 0o777 == 0o600
    before = (folder / "image.key").read_bytes()
    again = phonetrust("image", "key", "new", folder)
    assert again.returncode == 2 and "a key is never overwritten" in again.stderr
    assert (folder / "image.key").read_bytes() == before
    shown = json.loads(phonetrust("image", "key", "show", folder, "--json").stdout)
    assert shown["private key"] is True and shown["development"] is False and shown["subject"] == "CN=Example Phones"
    public = json.loads(phonetrust("image", "key", "show", folder / "image.crt", "--json").stdout)
    assert public == {**shown, "private key": False}


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["--version", "1.2"], "--version 1.2: must be three numbers"),
        (["--floor", "x"], "--floor x: must be three numbers"),
        (["--floor", "99.0.0"], "is below its own floor 99.0.0"),
        (["--key", "no-such-folder"], "image.crt: No such file or directory"),
        (["--spare", "README.md"], "README.md: is no certificate in PEM"),
    ],
)
def test_what_no_image_can_be_built_of(tmp_path, words, complaint):
    done = phonetrust("image", "build", "qemu-virt", "-o", tmp_path / "x.img", *words)
    assert done.returncode == 2 and complaint in done.stderr and not list(tmp_path.iterdir())


def test_an_image_of_ones_own_key_believes_it_and_the_spare_alone(tmp_path):
    mine, spare = keys.new(tmp_path / "mine", "mine"), keys.new(tmp_path / "spare", "spare")
    image = tmp_path / "phone.img"
    done = phonetrust(
        "image", "build", "rpi3", "-o", image, "--key", tmp_path / "mine", "--spare", tmp_path / "spare/image.crt"
    )
    assert done.returncode == 0 and "development" not in done.stdout, done.stderr
    facts = json.loads(phonetrust("image", "inspect", image, "--json").stdout)
    assert facts["image keys"] == [mine.fingerprint, spare.fingerprint] and facts["development"] is False
    assert facts["slots"]["a"]["signature"] == "good"
    tools = bootloader.tools(boards.TOP, lambda text: None)
    tree = fat.read(image, boot_offset(image), "bcm2837-rpi-3-b.dtb")
    plain, parsed = slot(image), fit.parse(slot(image))
    parts = [fit.part(plain, parsed, name) for name in ("kernel", "ramdisk")]
    for key, good in ((spare, True), (keys.development(boards.TOP), False)):
        assert fit.signed_by(tools, fit.make(tools, fit.facts_of(parsed), *parts, key), tree) is good


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
    facts = json.loads(phonetrust("image", "inspect", image, "--json").stdout)
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
    archive = fit.part(slot(image), fit.parse(slot(image)), "ramdisk")
    names = []
    while archive:
        reader = lzma.LZMADecompressor()
        plain = reader.decompress(archive)
        archive = reader.unused_data.lstrip(b"\0")
        names += list(entries(plain))
    assert "init" in names and "phone/phone.romfs" in names and "phone/libphonetrust.so" in names
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
