# SPDX-License-Identifier: MIT
"""A phone on trial: the phone's own boot over files on a PC, for preflight, the lab's forecast and plans."""
