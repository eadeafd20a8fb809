# SPDX-License-Identifier: MIT
"""The trust store of a card, read by the phone's own code."""

from agent.flash.store import Store
from hal.host import crypto
from host_tools.image import provision


def store_of(content):
    """The phone's own store over the bytes of a raw partition."""
    region = provision.Region(len(content))
    region.content[:] = content
    return Store(region, crypto())
