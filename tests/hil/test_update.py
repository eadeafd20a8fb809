# SPDX-License-Identifier: MIT
"""A phone that updates itself, on the board as it boots itself: U-Boot, signed slots, its own agent, a real server.

tests/unit/test_load.py and test_load_cuts.py test what needs no board, with a loss of power at every write.
"""

import os
import random
import re
import shutil
import time

import pytest

from host_tools.board import card as cards
from host_tools.image import board as boards
from host_tools.image import bootloader, cpio, fat, fit, keys, layout, load
from host_tools.image import build as builder
from host_tools.lab.model.loads import FOLDER
from host_tools.lab.servers.daemons import Atftpd
from tests.helpers.board import raw_card
from tests.helpers.board.stores import store_of

VERSION = "0.99.1"
NAME = load.name("rpi3", VERSION)
TRIAL = {"slot": "a", "upgrade_available": "1", "bootcount": "0"}
#: Pulled plugs, some 25 s each; PHONETRUST_KILLS=20 before a release.
KILLS = int(os.environ.get("PHONETRUST_KILLS", "4"))
# Seconds on a busy machine: a start through U-Boot, and until a load is there. Nothing is measured by them.
STARTED, INSTALLED = 200, 900


def quiet(text):
    """Nobody reads the steps."""


@pytest.fixture(scope="module")
def old_name(image):
    """The name of the load that a fresh card has."""
    found = layout.read_slot(image, layout.parts(image)[2])
    return fit.facts_of(fit.parse(found)).name


@pytest.fixture(scope="module")
def next_load(tmp_path_factory):
    """A load of this source tree with a higher version: its file."""
    board = boards.load("rpi3")
    image, facts = builder.boot_image(board, boards.TOP, builder.Content(version=VERSION), quiet)
    path = tmp_path_factory.mktemp("load") / f"{facts.name}.sgn"
    path.write_bytes(load.sign(facts.name, image, keys.development(boards.TOP)))
    return path


@pytest.fixture
def updating(phone, settings, cluster):
    """The phone, started by U-Boot, with a fresh card of this cluster; off."""
    if not getattr(phone.power, "board", None):
        pytest.skip("the slots of a real board's card are not looked at between two starts")
    before, phone.power.start = phone.power.start, "u-boot"
    # A busy PC leaves QEMU and the server without a turn for seconds; each load that ends early counts as one that was written.
    phone.new(**settings | {"tftp_timeout": 3000, "tftp_attempts": 8})
    yield phone
    phone.power.start = before


@pytest.fixture
def load_server(cluster, environment):
    """A TFTP server for the cluster's loads that knows windows: "host:port" as the board finds it. Block by block, as the lab's
    own server sends a load, an emulated board waits three times as long for it."""
    folder = cluster.path / FOLDER
    folder.mkdir()
    with Atftpd(folder) as server:
        yield f"{environment.config.get_option('address')}:{server.port}"


def start(phone):
    """Power on, until the phone has read its configuration."""
    phone.strategy.transition("off")
    phone.heard = ""
    phone.strategy.transition("on")
    phone.expect("ready; type help", STARTED)


def slots(card):
    """Whether the slots a and b would be started, by the keys of the card."""
    tools = bootloader.tools(boards.TOP, quiet)
    parts = layout.parts(card)
    tree = fat.read(card, parts[0].offset, "bcm2837-rpi-3-b.dtb")
    return [bool(image := layout.read_slot(card, part)) and fit.signed_by(tools, image, tree) for part in parts[2:]]


@pytest.mark.timeout(3000)
def test_update_there_and_back_by_configuration_alone(
    updating, cluster, next_load, old_name, load_server, tmp_path, measured
):
    """There from the cluster's own TFTP server, block by block; back from the load server that the configuration names."""
    phone = updating
    with phone.card.in_pc() as path:
        image = layout.read_slot(path, layout.parts(path)[2])
    old = tmp_path / "old.sgn"
    old.write_bytes(load.sign(old_name, image, keys.development(boards.TOP)))
    cluster.add_load(old)
    cluster.add_load(next_load)
    cluster.set_load("all", NAME)
    start(phone)
    begun = time.monotonic()
    phone.expect(rf"load accepted load-installed: The load {NAME}", INSTALLED)
    measured("seconds for the load", round(time.monotonic() - begun, 1))
    phone.expect("slot b is on trial, try 1 of 2", STARTED)
    phone.expect(rf"load accepted load-confirmed: The load {NAME} passed its trial", STARTED)
    assert phone.status()["load"]["name"] == NAME and phone.status()["load"]["slot"] == "b"
    cluster.set_load("all", old_name, load_server)
    phone.type("restart")
    phone.expect(rf"load accepted load-installed: The load {old_name}", INSTALLED)
    phone.expect("slot a is on trial, try 1 of 2", STARTED)
    phone.expect(rf"load accepted load-confirmed: The load {old_name}", STARTED)
    assert phone.status()["load"]["slot"] == "a" and phone.status()["state"] == "trusted"


def test_loads_that_are_refused_change_nothing(updating, cluster, next_load, tmp_path):
    phone = updating
    content = next_load.read_bytes()
    other = keys.new(tmp_path / "key", "another maker")
    served = cluster.path / "loads"
    served.mkdir(exist_ok=True)
    file = served / f"{NAME}.sgn"
    with phone.card.in_pc() as path:
        before = [layout.read_slot(path, part) for part in layout.parts(path)[2:]]
    start(phone)
    for name, served_content, reason in (
        (NAME, None, "not-found"),
        (NAME, load.sign(NAME, b"x" * 100000, other), "unknown-signer"),
        (NAME, load.sign("phonetrust-rpi3-0.99.2", b"x" * 100000, keys.development(boards.TOP)), "wrong-file"),
        (NAME, load.sign(NAME, b"x" * 100000, keys.development(boards.TOP)), "malformed"),
        (NAME, content[:300000], "bad-signature"),
        (NAME, content + bytes(40 << 20), "too-large"),
        ("phonetrust-rpi4-0.99.1", None, "wrong-board"),
        ("phonetrust-rpi3-0.0.9", None, "load-too-old"),
    ):
        if served_content is not None:
            file.write_bytes(served_content)
        cluster.set_load("all", name)
        phone.type("restart")
        phone.expect(rf"load refused {reason}: ", 120)
    phone.strategy.transition("off")
    with phone.card.in_pc() as path:
        assert layout.read_slot(path, layout.parts(path)[2]) == before[0], "the slot that runs"
        assert layout.read_environment(path)[0] == {"slot": "a"} and slots(path)[0]


# {how: (its agent, seconds of a try)}. The agent never comes, so a try may be short; the panic comes long before its end.
BROKEN = {
    "never answers": ("#!/bin/sh\nsleep 3600\n", 10),
    "panics": ("#!/bin/sh\necho c >/proc/sysrq-trigger\n", 300),
    "hangs": ("#!/bin/sh\nwhile :; do :; done\n", 10),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_load_that_does_not_work_goes_back_after_two_tries(updating, how):
    phone = updating
    agent, limit = BROKEN[how]
    extra = {"etc/phone/agent": cpio.file(agent.encode(), executable=True)}
    content = builder.Content(version=VERSION, extra=extra)
    image, _ = builder.boot_image(boards.load("rpi3"), boards.TOP, content, quiet)
    with phone.card.in_pc() as path:
        cards.write_slot(path, 1, image)
        raw_card.write_environment(path, TRIAL)
        boot = layout.parts(path)[0]
        line = fat.read(path, boot.offset, "cmdline.txt").decode().strip()
        fat.write(path, boot.offset, "cmdline.txt", f"{line} phonetrust.trial={limit}\n".encode())
    phone.strategy.transition("on")
    phone.expect("slot b is on trial, try 1 of 2", STARTED)
    phone.expect("slot b is on trial, try 2 of 2", STARTED)
    phone.expect(r"slot a, boot unconfirmed", STARTED)
    phone.expect(r"load refused load-rolled-back: .* started twice", STARTED)
    assert phone.status()["load"]["boot"] == "unconfirmed" and phone.status()["state"] == "trusted"


def test_a_bit_flipped_in_the_slot_that_runs_and_a_slot_that_another_maker_signed_are_said(updating, tmp_path):
    """On one card, one after the other. Other forgeries, which U-Boot alone refuses: test_loader.py."""
    phone = updating
    with phone.card.in_pc() as path:
        cards.write_slot(path, 0, b"\x00", at=9_000_000)
    start(phone)
    assert "slot b, boot fallback" in phone.heard
    phone.expect(r"load refused load-rolled-back: .*bytes on the card are damaged", STARTED)
    assert phone.status()["load"]["slot"] == "b"  # by then it has told the boot loader, too
    phone.strategy.transition("off")
    with phone.card.in_pc() as path:
        assert layout.read_environment(path)[0] == {"slot": "b"}
        image = layout.read_slot(path, layout.parts(path)[3])
        found = fit.parse(image)
        parts = [fit.part(image, found, name) for name in ("kernel", "ramdisk")]
        key = keys.new(tmp_path / "key", "another maker")
        tools = bootloader.tools(boards.TOP, quiet)
        cards.write_slot(path, 0, fit.make(tools, fit.facts_of(found), *parts, key))
        raw_card.write_environment(path, {**TRIAL, "slot": "b"})
    start(phone)
    assert "slot a is on trial, try 1 of 2" in phone.heard and "slot b, boot refused" in phone.heard
    assert "Failed to verify 'any' of the required signature" in phone.heard
    phone.expect(r"load refused load-rolled-back: .* the boot loader refused it", STARTED)
    assert phone.status()["load"]["boot"] == "refused" and phone.status()["state"] == "trusted"


#: What the console says when an update has come to a moment at which the plug is pulled, up to a second and a half later. Times
#: would be another moment on another machine. The first one has a number in it: MiB that have been written.
MOMENTS = (
    r"-0\.99\.1: {}\.\d MiB are here",
    "reading the load back",
    "load accepted load-installed",
    "slot b is on trial",
)
COMES = 1200  # s: a load alone may take 900 (agent/boot/load.py, LOAD_TIME), as it does where eight programs share two cores
ENDED = "load accepted load-confirmed|load refused load-rolled-back|load refused load-failed"


@pytest.mark.timeout(7200)
def test_the_plug_is_pulled_at_random_moments_of_an_update(
    updating, cluster, next_load, load_server, measured, tmp_path
):
    """The board starts each time, with its trust, and the update is there in the end."""
    phone = updating
    random_ = random.Random(20)
    cluster.add_load(next_load)
    start(phone)  # it has the cluster's trust before the first cut
    phone.strategy.transition("off")
    cluster.set_load("all", NAME, load_server)
    snapshot = tmp_path / "card"
    with phone.card.in_pc() as path:
        cards.write_slot(path, 1, bytes(1 << 20))  # what is written to it makes a difference
        shutil.copyfile(path, snapshot)
    left = {}
    for cut in range(KILLS):
        moment = MOMENTS[cut % len(MOMENTS)].format(2 * random_.randint(1, 6))
        phone.heard = ""
        phone.strategy.transition("on")
        came = phone.expect(f"{moment}|{ENDED}", COMES)[0]
        time.sleep(random_.uniform(0, 1.5))
        phone.strategy.transition("off")
        with phone.card.in_pc() as path:
            words, whole = layout.read_environment(path)
            good = slots(path)
            assert any(whole), f"cut {cut}: no copy of the environment is whole"
            assert good["ab".index(words.get("slot", "a"))], f"cut {cut}: the confirmed slot is damaged"
            stored = store_of(raw_card.read_store(path)).load()
            assert bytes(stored.read("itl")) == cluster.published("ITLFile.tlv"), f"cut {cut}"
            key = f"{came}: slots {good}, trial {words.get('upgrade_available', '0')}"
            left[key] = left.get(key, 0) + 1
            measured("cuts that left", left)
            ended = re.search(ENDED, came) or cut % len(MOMENTS) > 1
            if ended and words.get("upgrade_available") != "1":  # else it goes on from here
                shutil.copyfile(snapshot, path)
    phone.strategy.transition("off")
    start(phone)
    assert re.search(r"state trusted", phone.heard)
