# SPDX-License-Identifier: MIT
"""The room that talks to the phone's other programs and to the person at the console."""
