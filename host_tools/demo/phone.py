# SPDX-License-Identifier: MIT
"""A phone as one process of MicroPython, with its flash in a file: phone.py SETTINGS FLASH STATUS.

Boots once and writes its status as JSON to STATUS. Exit status 0: everything was accepted, 1: something was refused,
2: the settings or the flash cannot be used. Blank flash is made where there is none: a phone fresh from the factory.
"""

import os
import sys

from agent import settings
from agent.errors import SettingsError
from agent.main import Phone
from hal.device import Board, Flash, Hal

FLASH_SIZE = 1 << 20


def main(settings_path, flash_path, status_path):
    """Boot once; the exit status."""
    try:
        with open(settings_path) as file:
            values = settings.parse(file.read(), settings_path)
        try:
            os.stat(flash_path)
        except OSError:
            make_blank(flash_path)
        flash = Flash(flash_path)
    except (OSError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    hal = Hal(board=Board(values.mac, values.model), flash=flash)
    phone = Phone(hal, values, origin=hal.clock.monotonic())
    good = phone.start()
    with open(status_path, "w") as file:
        file.write(phone.status_json())
    return 0 if good else 1


def make_blank(path):
    """A file of FLASH_SIZE zero bytes."""
    with open(path, "wb") as file:
        block = bytes(4096)
        for _ in range(FLASH_SIZE // len(block)):
            file.write(block)


sys.exit(main(*sys.argv[1:4]))
