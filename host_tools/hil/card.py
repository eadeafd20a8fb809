# SPDX-License-Identifier: MIT
"""The board's SD card as labgrid drivers: the PC has it while the board is off, the board while it is on."""

import abc
import contextlib
import pathlib
import time

import attr
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.step import step

from host_tools.flash import target as targets
from host_tools.flash import writer
from host_tools.hil import record
from host_tools.image.errors import ImageError

MEDIUM_LIMIT = 10  # seconds in which the reader of a mux finds its card


class CardProtocol(abc.ABC):
    """A card that changes between PC and board."""

    @abc.abstractmethod
    def in_pc(self) -> contextlib.AbstractContextManager[str]:
        """A context manager: inside, the PC has the card under the path that it gives; the board must be off."""

    def write(self, image):
        """Write an image and read it back, with all refusals of `phonetrust flash`."""
        with self.in_pc() as path:
            self.check(path, pathlib.Path(image).stat().st_size)
            writer.write(image, path, lambda done: None)
            different = writer.first_difference(image, path, lambda done: None)
        if different is not None:
            raise ImageError(f"{path}: byte {different} reads back different; the card is broken")

    def check(self, path, size):
        """Refuse a card that must not be written."""
        targets.check(targets.examine(pathlib.Path(path)), size)


@target_factory.reg_driver
@attr.s(eq=False)
class EmulatedCardDriver(Driver, CardProtocol):
    """A file as the card of an emulated board.

    Args:
        path (str): the file; default: a file beside the records, named after the target
    """

    path = attr.ib(default="", validator=attr.validators.instance_of(str))

    @property
    def file(self):
        """The card's file; its folder is made."""
        path = pathlib.Path(self.path) if self.path else record.FOLDER / f"{self.target.name}.card"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @contextlib.contextmanager
    def in_pc(self):
        yield self.file


@target_factory.reg_driver
@attr.s(eq=False)
class MuxedCardDriver(Driver, CardProtocol):
    """A real card behind an SD mux (USB-SD-Mux or USB-SD-Wire) on this PC."""

    bindings = {
        "mux": {"USBSDMuxDriver", "USBSDWireDriver"},
        "storage": {"USBSDMuxDevice", "USBSDWireDevice"},
    }

    @contextlib.contextmanager
    def in_pc(self):
        self.target.activate(self.mux)
        self._switch("host")
        try:
            yield pathlib.Path(self.storage.path)
        finally:
            self._switch("dut")

    @step(args=["side"])
    def _switch(self, side):
        self.mux.set_mode(side)
        if side == "host":
            self.target.await_resources([self.storage], timeout=20)
            end = time.monotonic() + MEDIUM_LIMIT
            while not targets.examine(pathlib.Path(self.storage.path)).size:
                if time.monotonic() > end:
                    raise ImageError(f"{self.storage.path}: no card came within {MEDIUM_LIMIT} s; is it in the mux?")
                time.sleep(0.2)
