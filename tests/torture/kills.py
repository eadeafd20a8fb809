# SPDX-License-Identifier: MIT
"""A booted board whose QEMU is killed at random moments while it boots, takes a new list and writes it: the card always holds
lists that the phone had accepted, never older ones than before, and the phone is trusted whenever it may finish."""

import random
import socket
import tempfile
import threading
import time
from pathlib import Path

from agent.errors import TrustLost
from host_tools.board import card as cards
from host_tools.board.emulator import PC_ADDRESS, Emulator, insert_card
from host_tools.image import board as boards
from host_tools.lab.model.cluster import Cluster
from tests.helpers.board import raw_card
from tests.helpers.board.images import build_image
from tests.helpers.board.stores import store_of
from tests.helpers.lab.key_pool import PooledKeys
from tests.torture.tally import Tally

MAC = "00270DC01C92"
READY = b"ready; type help"
BOOT_LIMIT = 120  # s
LEAST = 3  # kills, whatever the time is
PAUSE = 0.3  # s at most between that moment and the kill


def run(effort):
    """Kills until the seconds are over."""
    tally = Tally("power: QEMU killed at random moments")
    draw = random.Random(effort.seed)
    ends = time.monotonic() + effort.seconds
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        image = build_image("qemu-virt", folder / "virt.img")
        insert_card(image, folder / "card")
        cluster = Cluster.create(folder / "cluster", kind="classic", address=PC_ADDRESS, key_maker=PooledKeys())
        cluster.add_phone(MAC)
        with cluster.serve() as serving:
            server = f"{PC_ADDRESS}:{serving.tftp_port()}"
            cards.change_settings(
                folder / "card", {"mac": MAC, "tftp": [server], "tftp_timeout": 500, "tftp_attempts": 3}
            )
            phone = Killed(folder / "card", folder / "qemu", cluster)
            took = phone.whole_boot()
            while phone.kills < LEAST or time.monotonic() < ends:
                share = draw.random()
                with tally.case(f"kill {phone.kills + 1} of seed {effort.seed}, at {share:.0%} of a boot"):
                    phone.kill(share, PAUSE * draw.random())
                if phone.kills % 8 == 0:
                    with tally.case(f"a whole boot after {phone.kills} kills"):
                        phone.whole_boot()
            with tally.case(f"the last boot, after {phone.kills} kills"):
                phone.whole_boot()
    tally.note = (
        f"{phone.kills} kills of a board that boots in {took:.1f} s here; {phone.new} left the new list on the card, "
        f"{phone.kills - phone.new} the old one."
    )
    return tally


class Killed:
    """A board on an emulated card. kills: how many there were; new: after how many of them the newest list was there."""

    def __init__(self, card, folder, cluster):
        self.card, self.folder, self.cluster = card, folder, cluster
        self.kills = self.new = 0
        self._published = [cluster.published("ITLFile.tlv")]
        self._had = -1  # index of the list that the card is known to hold
        self._length = 0  # bytes that the console says in a whole boot

    def whole_boot(self):
        """Boot to the end; the seconds that it took."""
        begun = time.monotonic()
        with Powered(self.card, self.folder) as board:
            assert board.hears(lambda said: READY in said), f"not ready: {board.said[-600:]!r}"
            took = time.monotonic() - begun
            self._length = len(board.said)
        assert self.stored() == len(self._published) - 1, "not the newest list after a whole boot"
        return took

    def kill(self, share, pause):
        """A new list is published, and the power goes so many seconds after the console has said this share of a boot."""
        if self.stored() == len(self._published) - 1:
            self.cluster.regenerate("capf")
            self._published.append(self.cluster.published("ITLFile.tlv"))
        with Powered(self.card, self.folder) as board:
            board.hears(lambda said: len(said) >= share * self._length or READY in said)
            time.sleep(pause)
        self.kills += 1
        self.new += self.stored() == len(self._published) - 1

    def stored(self):
        """Index of the list on the card. AssertionError where trust is lost, or the list is older than before."""
        try:
            found = store_of(raw_card.read_store(self.card)).load()
        except TrustLost as error:
            raise AssertionError(f"trust lost: {error}") from None
        itl = None if found is None else bytes(found.read("itl"))
        index = -1 if itl is None else self._published.index(itl)
        assert index >= self._had, f"list {index} of {len(self._published)} after list {self._had}"
        self._had = index
        return index


class Powered:
    """The board while it has power. said: its console."""

    def __init__(self, card, folder):
        self._emulator = Emulator(boards.load("qemu-virt"), card, folder, MAC)
        self.said = b""
        self._news = threading.Condition()

    def __enter__(self):
        self._emulator.start()
        self._console = socket.socket(socket.AF_UNIX)
        self._console.connect(str(self._emulator.console))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def _listen(self):
        while True:
            try:
                block = self._console.recv(4096)
            except OSError:
                return
            if not block:
                return
            with self._news:
                self.said += block
                self._news.notify_all()

    def hears(self, enough):
        """Wait until enough(said), at most BOOT_LIMIT; whether it came to that."""
        with self._news:
            return self._news.wait_for(lambda: enough(self.said), BOOT_LIMIT)

    def __exit__(self, *_):
        self._emulator.stop()
        self._listener.join(10)
        self._console.close()
