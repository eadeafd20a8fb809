# SPDX-License-Identifier: MIT
"""`make run`: a lab cluster on loopback and a phone that boots against it. phones.py: the kinds of phone it can be."""
