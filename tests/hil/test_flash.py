# SPDX-License-Identifier: MIT
"""`phonetrust flash` on files and loop devices: what it writes, what it refuses, what it says."""

import os
import pathlib
import shutil
import stat
import subprocess

import pytest

from host_tools.flash import target as targets
from host_tools.flash import writer
from host_tools.image import programs
from tests.helpers.board.commands import phonetrust
from tests.helpers.board.images import build_image

MIB = 1 << 20


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return build_image("qemu-virt", tmp_path_factory.mktemp("flash") / "phone.img")


@pytest.fixture
def loop(tmp_path):
    """loop(size) -> a loop device of that size; skipped by name where there are none."""
    devices = []

    def attach(size):
        file = tmp_path / f"disk{len(devices)}"
        with open(file, "wb") as disk:
            disk.truncate(size)
        if os.geteuid() != 0:
            pytest.skip("loop devices need root")
        done = subprocess.run(["losetup", "--find", "--show", "--partscan", file], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"no loop device here: {done.stderr.strip()}")
        devices.append(done.stdout.strip())
        return pathlib.Path(devices[-1])

    yield attach
    for device in devices:
        subprocess.run(["losetup", "--detach", device], check=False)


def test_a_new_file_is_the_image_and_the_last_line_says_so(image, tmp_path):
    target = tmp_path / "card"
    done = phonetrust("flash", image, target)
    assert done.returncode == 0
    assert target.read_bytes() == image.read_bytes()
    assert done.stdout.count("\n") == 1 and f"{target}: phonetrust 0." in done.stdout
    assert "is written and was read back the same" in done.stdout
    assert "128.0 MiB, to the file" in done.stderr, "device, size and image in one line before"


def test_a_file_that_exists_is_asked_about_and_scripts_say_yes(image, tmp_path):
    target = tmp_path / "card"
    target.write_bytes(b"precious" * MIB * 10)
    done = phonetrust("flash", image, target)
    assert done.returncode == 1 and "scripts use --yes" in done.stderr
    assert target.read_bytes()[:8] == b"precious"
    assert phonetrust("flash", image, target, "--yes").returncode == 0
    assert target.read_bytes() == image.read_bytes(), "also what was behind the image is gone"


@pytest.mark.parametrize("content", [b"", b"text\n" * 1000, bytes(MIB)])
def test_what_is_no_image_is_not_written(tmp_path, content):
    image, target = tmp_path / "phone.img", tmp_path / "card"
    image.write_bytes(content)
    done = phonetrust("flash", image, target, "--yes")
    assert done.returncode == 2 and "has no partition table" in done.stderr and not target.exists()


def test_a_cut_image_is_not_written(image, tmp_path):
    cut, target = tmp_path / "cut.img", tmp_path / "card"
    shutil.copyfile(image, cut)
    os.truncate(cut, 40 * MIB)
    done = phonetrust("flash", cut, target, "--yes")
    assert done.returncode == 2 and "it was cut short" in done.stderr and not target.exists()


def test_invalid_targets(image, tmp_path):
    def refused(target):
        done = phonetrust("flash", image, target, "--yes")
        return done.returncode, done.stderr.strip().splitlines()[-1]

    assert refused("/dev/null") == (1, "phonetrust: /dev/null: is neither a disk nor a file")
    assert refused(tmp_path) == (1, f"phonetrust: {tmp_path}: is neither a disk nor a file")
    assert refused(image) == (1, f"phonetrust: {image}: is the image itself")
    assert refused("/dev/no-such-disk")[1].endswith("there is no such device; is the card in?")
    assert refused(tmp_path / "x/y") == (2, f"phonetrust: {tmp_path}/x/y: the folder {tmp_path}/x does not exist")


def test_the_disk_of_the_running_system_is_never_written(image):
    number = os.stat("/").st_dev
    folder = pathlib.Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()
    if not folder.exists():
        pytest.skip("the root file system here is on no disk")
    disk = folder.parent.name if (folder / "partition").exists() else folder.name
    if not os.path.exists(f"/dev/{disk}"):
        pytest.skip(f"/dev/{disk} is not visible here")
    done = phonetrust("flash", image, f"/dev/{disk}", "--yes", "--allow-fixed-disk")
    assert done.returncode == 1 and "holds the running system (/)" in done.stderr


def test_a_fixed_disk_needs_its_own_word(image, loop):
    device = loop(144 * MIB)
    done = phonetrust("flash", image, device, "--yes")
    assert done.returncode == 1 and "is not removable" in done.stderr and "--allow-fixed-disk" in done.stderr
    assert device.read_bytes()[:512] == bytes(512)
    done = phonetrust("flash", image, device, "--yes", "--allow-fixed-disk")
    assert done.returncode == 0 and "loop device of" in done.stderr and "144.0 MiB" in done.stderr
    assert device.read_bytes()[: 128 * MIB] == image.read_bytes()


def test_a_card_that_is_too_small(image, loop):
    device = loop(32 * MIB)
    done = phonetrust("flash", image, device, "--yes", "--allow-fixed-disk")
    assert done.returncode == 1 and "has 32.0 MiB, the image needs 128.0 MiB" in done.stderr
    assert device.read_bytes() == bytes(32 * MIB)


def test_a_mounted_card_is_never_written(image, loop, tmp_path):
    device = loop(144 * MIB)
    programs.run("mkfs.ext4", device)
    before = device.read_bytes()
    place = tmp_path / "a card"
    place.mkdir()
    if subprocess.run(["mount", device, place], capture_output=True).returncode != 0:
        pytest.skip("mount is not allowed here")
    try:
        done = phonetrust("flash", image, device, "--yes", "--allow-fixed-disk")
        assert done.returncode == 1 and f"is mounted on {place}; unmount it first" in done.stderr
    finally:
        subprocess.run(["umount", place], check=True)
    assert device.read_bytes()[:512] == before[:512] != image.read_bytes()[:512]


def test_a_card_with_a_mounted_partition_is_never_written_nor_a_partition(image, loop, tmp_path):
    device = loop(144 * MIB)
    assert phonetrust("flash", image, device, "--yes", "--allow-fixed-disk").returncode == 0
    known = pathlib.Path(f"/sys/class/block/{device.name}p1/dev")
    if not known.exists():
        pytest.skip("this kernel makes no partitions of loop devices")
    partition = tmp_path / "partition"  # there may be nobody who makes nodes in /dev
    major, minor = known.read_text().split(":")
    os.mknod(partition, 0o600 | stat.S_IFBLK, os.makedev(int(major), int(minor)))
    programs.run("mkfs.ext4", partition)
    place = tmp_path / "card"
    place.mkdir()
    done = phonetrust("flash", image, partition, "--yes", "--allow-fixed-disk")
    assert done.returncode == 1 and f"is a partition; the image goes to the whole disk, {device}" in done.stderr
    if subprocess.run(["mount", partition, place], capture_output=True).returncode != 0:
        pytest.skip("mount is not allowed here")
    try:
        done = phonetrust("flash", image, device, "--yes", "--allow-fixed-disk")
        assert done.returncode == 1 and f"is mounted on {place}" in done.stderr
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_card_in_use_is_not_written(image, loop):
    device = loop(144 * MIB)
    holder = os.open(device, os.O_RDWR | os.O_EXCL)
    try:
        done = phonetrust("flash", image, device, "--yes", "--allow-fixed-disk")
    finally:
        os.close(holder)
    assert done.returncode == 1 and "is in use; unmount it first" in done.stderr


def test_a_read_only_card(image, loop):
    device = loop(144 * MIB)
    subprocess.run(["blockdev", "--setro", device], check=True)
    try:
        done = phonetrust("flash", image, device, "--yes", "--allow-fixed-disk")
    finally:
        subprocess.run(["blockdev", "--setrw", device], check=True)  # a loop device keeps it for the next user
    assert done.returncode == 1 and "is read-only; look at the card's lock" in done.stderr


def test_reading_back_finds_the_first_byte_that_differs(image, tmp_path):
    target = tmp_path / "card"
    writer.write(image, target, lambda done: None)
    assert writer.first_difference(image, target, lambda done: None) is None
    with open(target, "r+b") as card:
        card.seek(5 * MIB + 17)
        byte = card.read(1)[0]
        card.seek(5 * MIB + 17)
        card.write(bytes([byte ^ 1]))
    assert writer.first_difference(image, target, lambda done: None) == 5 * MIB + 17
    os.truncate(target, 3 * MIB)
    assert writer.first_difference(image, target, lambda done: None) == 3 * MIB


def test_a_card_reader_without_a_card_is_told_from_a_small_card(image, monkeypatch):
    target = targets.Target(pathlib.Path("/dev/sdx"), size=0, device=pathlib.Path("/sys/block/usb-reader"))
    monkeypatch.setattr(targets, "_numbers", lambda device: {12345})
    with pytest.raises(targets.Refusal, match="holds no medium; is the card in?"):
        targets.check(target, 64 * MIB)


def fake_disk(folder, partition_number="259:1"):
    """A removable disk with one partition, as /sys shows it."""
    disk = folder / "sdx"
    (disk / "sdx1/holders").mkdir(parents=True)
    (disk / "holders").mkdir()
    for name, text in {
        "dev": "259:0", "removable": "1", "ro": "0", "size": "262144",
        "sdx1/dev": partition_number, "sdx1/partition": "1",
    }.items():  # fmt: skip
        (disk / name).write_text(text + "\n")
    return targets.Target(pathlib.Path("/dev/sdx"), size=128 * MIB, device=disk)


def test_an_unused_removable_card_may_be_written(tmp_path):
    targets.check(fake_disk(tmp_path), 64 * MIB)


def test_a_partition_of_the_running_system_protects_its_whole_disk(tmp_path):
    root = os.stat("/").st_dev
    with pytest.raises(targets.Refusal, match="holds the running system"):
        targets.check(fake_disk(tmp_path, f"{os.major(root)}:{os.minor(root)}"), 64 * MIB, allow_fixed=True)


def test_a_partition_under_a_logical_volume_protects_its_disk(tmp_path):
    target = fake_disk(tmp_path)
    (target.device / "sdx1/holders/dm-0").touch()
    with pytest.raises(targets.Refusal, match="is in use by dm-0"):
        targets.check(target, 64 * MIB, allow_fixed=True)
