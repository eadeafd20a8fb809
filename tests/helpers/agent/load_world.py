# SPDX-License-Identifier: MIT
"""A phone with a card of two slots beside a cluster that names loads, on both Pythons.

world = LoadWorld("new")           the cluster's configuration is tests/vectors_own/loads/new.cnf.xml.sgn
world.power_on()                   runs U-Boot, the phone's boot, then loads; True where the phone restarted itself
world.reasons()                    as of phone_world.World"""

from agent.formats.header import Header
from agent.trust.loads import Software
from hal.fake import Restarted
from tests.helpers.agent.both import own_vector, run
from tests.helpers.agent.fake_card import FakeCard
from tests.helpers.agent.phone_world import FLASH, SERVER, TestedPhone, TftpServer, World

SLOT = 196608
RUNNING = "phonetrust-rpi3-0.1.0"
NEW = "phonetrust-rpi3-0.2.0"
CONFIGURATION = "SEP00270DC01C92.cnf.xml.sgn"
OLD_IMAGE = b"the image that the phone came with" * 100
LOAD_SERVER = "192.0.2.2"


def load(name):
    """A file of tests/vectors_own/loads."""
    return own_vector("loads/" + name)


def image(name):
    """The boot image in a load."""
    data = load(name + ".sgn")
    return data[Header(data).length :]


def cluster(configuration, served="new", name=NEW):
    """What the TFTP server has: the ITL, a configuration, and a load under the name that is asked for."""
    files = {"ITLFile.tlv": load("itl.tlv"), CONFIGURATION: load(configuration + ".cnf.xml.sgn")}
    if served:
        files[name + ".sgn"] = load(served + ".sgn")
    return files


class LoadWorld(World):
    """files: as World. card: FakeCard of an earlier world. good: the boot images that the boot loader starts, and the names of
    their loads, but not loads named in `refused`. broken: names of loads whose agent never runs."""

    def __init__(self, files, card=None, floor="0.1.0", refused=(), **settings):
        if card is None:
            card = FakeCard(FLASH, SLOT)
            card.slots["a"].write(0, OLD_IMAGE)
            card.slots["b"].write(0, OLD_IMAGE)
            card.flash.sync()
        self.card = card
        self.floor = floor
        known = {OLD_IMAGE: RUNNING, image("new"): NEW, image("spare"): "phonetrust-rpi3-0.3.0"}
        self.good = {content: known[content] for content in known if known[content] not in refused}
        self.broken = ()
        self.loads = None
        self.certificates = [load("maker.der"), load("spare.der")]
        World.__init__(self, files, card.store, **settings)
        self.load_files = {}
        self.load_server = TftpServer(self.load_files)
        self.hal.net.serve_udp(LOAD_SERVER, 69, self.load_server)

    def running_image(self, slot):
        """The image of `good` that a slot holds, None where the boot loader would refuse it."""
        for content in self.good:
            data = bytearray(len(content))
            slot.read_into(0, data)
            if data == content:
                return content
        return None

    def make_phone(self, servers=()):
        """Power on: the boot loader, then the phone of the slot that it starts."""
        self.loads = self.hal.loads = self.card.start(lambda slot: self.running_image(slot) is not None)
        assert self.loads is not None, "no slot can be started"
        name = self.good[self.running_image(self.card.slots[self.loads.running])]
        self.software = Software(name, "rpi3", self.floor, self.certificates)
        self.phone = TestedPhone(self.hal, self.settings, servers, software=self.software)
        self.phone.service.serving = True
        return self.phone

    @property
    def running(self):
        """The name of the load that runs."""
        return self.software.name

    def go_on(self):
        """The boot and the work after it; True where the phone restarted itself."""
        self.boot()
        try:
            run(self.phone.work.update())
        except Restarted:
            return True
        return False

    def power_on(self):
        """Off and on; True where the phone restarted itself. A load of `broken` never comes to its agent."""
        self.make_phone()
        return False if self.running in self.broken else self.go_on()

    def update(self, limit=6):
        """Go on until the phone stays up, at most `limit` restarts -> the number of restarts."""
        restarts = 0
        again = self.running not in self.broken and self.go_on()
        while again or self.running in self.broken:
            restarts += 1
            assert restarts <= limit, "it restarts for ever"
            again = self.power_on()
        return restarts

    def load_reasons(self):
        """What was decided about loads since the last start."""
        return [reason for reason in self.reasons() if reason.startswith("load ")]


__all__ = ["CONFIGURATION", "LOAD_SERVER", "NEW", "RUNNING", "SERVER", "SLOT", "LoadWorld", "cluster", "image", "load"]
