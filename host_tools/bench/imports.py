# SPDX-License-Identifier: MIT
"""In MicroPython: imports.py MODULE... reads these modules, and no more."""

import sys

for name in sys.argv[1:]:
    __import__(name)
