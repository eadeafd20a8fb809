# SPDX-License-Identifier: MIT
"""`make run`: a lab cluster on loopback and a phone that boots against it; phone.py is what runs in MicroPython."""
