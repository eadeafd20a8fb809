# SPDX-License-Identifier: MIT
"""In MicroPython: mapped.py PROGRAM ARGUMENTS... maps the software that lies beside it, as a board does, and runs the program."""

import sys

from phone import SOFTWARE, mount

folder, slash, _ = __file__.rpartition("/")
mount(folder + slash + SOFTWARE)
del sys.argv[0]
__import__(sys.argv[0])
