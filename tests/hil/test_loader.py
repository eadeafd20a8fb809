# SPDX-License-Identifier: MIT
"""U-Boot on the booted board: which slot it starts, how often, and what it tells the kernel.

tests/hil/test_update.py tests what the phone does with that; here the test writes the environment.
"""

import pytest

from agent.formats import bootenv
from host_tools.board import card as cards
from host_tools.hil.phone import BoardPhone, ConsoleError
from host_tools.image import board as boards
from host_tools.image import bootloader, fit, keys, layout
from tests.helpers.board import raw_card
from tests.helpers.board.forgeries import Forger

TRIAL = {"slot": "a", "upgrade_available": "1", "bootcount": "0"}
STARTED = r"power-on: .*, slot (\w+), boot (\w+)"
LIMIT = 120  # seconds of a start on a busy machine
INSIDE = 9_000_000  # an offset in the middle of the kernel
REFUSED = "slot {} cannot be started"


@pytest.fixture
def loader(phone):
    """The phone, its card new; U-Boot starts it, where tests of other things leave U-Boot out."""
    emulated = getattr(phone.power, "board", None)
    if not emulated:
        pytest.skip("a real board keeps its environment to itself: its card is not written between two starts here")
    before, phone.power.start = phone.power.start, "u-boot"
    phone.new(tftp=["192.0.2.1"])
    yield Loader(phone)
    phone.power.start = before


class Loader:
    """What a test does with the card, and one start of it."""

    def __init__(self, phone: BoardPhone):
        self.phone = phone

    def environment(self, **words):
        with self.phone.card.in_pc() as path:
            raw_card.write_environment(path, words)

    def words(self):
        """The words that the card has now, and how many copies are whole."""
        with self.phone.card.in_pc() as path:
            words, whole = layout.read_environment(path)
        return {
            word: words[word] for word in ("slot", "upgrade_available", "bootcount", "rolled_back") if word in words
        }, whole

    def damage(self, number):
        with self.phone.card.in_pc() as path:
            cards.write_slot(path, number, b"\x00" * 16, at=INSIDE)

    def write(self, *images):
        """Put boot images into slot A and B."""
        with self.phone.card.in_pc() as path:
            for number, image in enumerate(images):
                cards.write_slot(path, number, image)

    def facts(self):
        """fit.Facts of slot A."""
        with self.phone.card.in_pc() as path:
            return fit.facts_of(fit.parse(layout.read_slot(path, layout.parts(path)[2])))

    def said(self, pattern):
        """Power on -> what U-Boot says of slot A, and then of slot B, until this comes; power off."""
        self.phone.strategy.transition("off")
        self.phone.heard = ""
        self.phone.strategy.transition("on")
        self.phone.expect(pattern, LIMIT)
        self.phone.strategy.transition("off")
        first, _, second = self.phone.heard.partition(REFUSED.format("a"))
        return first, second.partition(REFUSED.format("b"))[0]

    def start(self):
        """Power on -> (slot, boot) as the start scripts say."""
        self.phone.strategy.transition("off")
        self.phone.heard = ""
        self.phone.strategy.transition("on")
        found = self.phone.expect(STARTED, LIMIT)
        self.phone.strategy.transition("off")
        return found[1], found[2]


def test_the_card_boots_itself_and_the_signature_is_checked(loader):
    assert loader.start() == ("a", "normal")
    assert "sha256,rsa2048:image-" in loader.phone.heard and "+ OK" in loader.phone.heard
    assert loader.words() == ({"slot": "a"}, [True, True]), "a usual start writes nothing"


def test_a_slot_on_trial_is_started_twice_then_the_old_one(loader):
    loader.environment(**TRIAL)
    assert loader.start() == ("b", "trial")
    assert loader.words()[0] == {**TRIAL, "bootcount": "1"}
    assert loader.start() == ("b", "trial")
    assert loader.start() == ("a", "unconfirmed")
    assert loader.words()[0] == {"slot": "a", "upgrade_available": "0", "bootcount": "2", "rolled_back": "unconfirmed"}
    assert loader.start() == ("a", "unconfirmed"), "until the phone has said so"


def test_a_slot_on_trial_that_is_damaged_is_not_started_once(loader):
    loader.damage(1)
    loader.environment(**TRIAL)
    assert loader.start() == ("a", "refused")
    assert "slot b cannot be started" in loader.phone.heard
    assert loader.words()[0]["upgrade_available"] == "0" and loader.words()[0]["rolled_back"] == "refused"


def test_a_damaged_slot_gives_way_to_the_other_one(loader):
    loader.damage(1)
    loader.environment(slot="b")
    assert loader.start() == ("a", "fallback")
    assert loader.start() == ("a", "fallback"), "each start tries the confirmed one first"


def test_without_a_good_slot_nothing_starts_and_there_is_no_shell(loader):
    loader.damage(0)
    loader.damage(1)
    loader.phone.strategy.transition("on")
    loader.phone.expect("no slot can be started", LIMIT)
    loader.phone.console.sendline("\x03\x03 help")
    with pytest.raises(ConsoleError):
        loader.phone.expect(r"=>|U-Boot>|Unknown command|help", 5)
    loader.phone.expect("no slot can be started", LIMIT)  # it starts over, for as long as it takes


@pytest.mark.parametrize("torn", [0, 1, 2])
def test_a_torn_environment_leaves_the_other_copy_or_the_first_slot(loader, torn):
    """The second copy is the newer one: it asks for a trial of slot b, the older one confirms slot b. Torn is one, or both."""
    contents = [bootenv.encode(7, {"slot": "b"}), bootenv.encode(8, TRIAL)]
    with loader.phone.card.in_pc() as path, open(path, "r+b") as card:
        for number, slot in enumerate(layout.parts(path)[2:]):
            card.seek(slot.offset + slot.size - boards.ENVIRONMENT_FROM_END)
            card.write(contents[number])
            if torn in (number, 2):
                card.seek(slot.offset + slot.size - boards.ENVIRONMENT_FROM_END + 10)
                card.write(b"\xa5" * 512)
    assert loader.words()[1] == [torn not in (0, 2), torn not in (1, 2)]
    assert loader.start() == (("b", "trial"), ("b", "normal"), ("a", "normal"))[torn]
    if torn == 0:
        assert loader.words() == ({**TRIAL, "bootcount": "1"}, [True, True]), "U-Boot wrote its word over the torn copy"


def test_unknown_words_of_the_environment_are_ignored(loader):
    """An attacker who can write the environment can choose between slots that a maker signed, and do nothing else."""
    loader.environment(
        slot="b; echo hacked", rolled_back="x init=/bin/sh", bootcmd="echo hacked", bootargs="init=/bin/sh", bootdelay="10",
        preboot="echo hacked", start="echo hacked", fdt_addr="0",
    )  # fmt: skip
    assert loader.start() == ("a", "unconfirmed")
    assert "hacked" not in loader.phone.heard and "init=" not in loader.phone.heard


NOT_SIGNED = "Failed to verify 'any' of the required signature"
DIGEST, TREE = "Bad hash value for 'hash-1' hash node in 'kernel'", "fdt_check_header"
#: {forgery: why U-Boot refuses it}; the configuration of all others is not signed by the maker.
WHY = {
    "another kernel": DIGEST,
    "another kernel before it whose name goes on with an at sign": "unit addresses (@)",
    "another kernel behind the tree": DIGEST,
    "no boot image but the bare kernel": TREE,
    "a size of 4 GiB": TREE,
    "a size of 0": TREE,
    "cut short": TREE,
}


def test_forged_boot_images_are_not_started(loader, tmp_path):
    """Two of them at each start: none is started; beside a good one the good one is."""
    tools = bootloader.tools(boards.TOP, lambda text: None)
    forger = Forger(tools, loader.facts(), keys.development(boards.TOP), tmp_path)
    forgeries = forger.forgeries()
    names = list(forgeries)
    assert len(names) % 2 == 0 and WHY.keys() < forgeries.keys()
    for pair in zip(names[::2], names[1::2], strict=True):
        loader.write(*(forgeries[name] for name in pair))
        for name, text in zip(pair, loader.said("no slot can be started"), strict=True):
            assert WHY.get(name, NOT_SIGNED) in text and "Starting kernel" not in text, f"{name}: {text}"
    loader.write(forgeries[names[0]], forger.good)
    first, second = loader.said("Starting kernel")
    assert NOT_SIGNED in first and "Starting kernel" in second, "its kernel is as small, and the maker signed it"
