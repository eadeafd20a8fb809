# SPDX-License-Identifier: MIT
"""The first trust lists, put into the image's trust store at build time, so that the phone takes no first list unchecked."""

from agent.flash.store import Store
from agent.trust.decision import Decision
from agent.trust.rules import Trust
from host_tools.image.errors import ImageError


class Region:
    """The flash part of a HAL (hal/__init__.py) in memory, to hand to the phone's own store."""

    def __init__(self, size):
        self.size = size
        self.content = bytearray(size)

    def read_into(self, offset, buffer):
        buffer[:] = self.content[offset : offset + len(buffer)]

    def write(self, offset, data):
        if offset + len(data) > self.size:
            raise ValueError("outside of the region")
        self.content[offset : offset + len(data)] = data

    def sync(self):
        """Do nothing: the region is in memory."""


def trust_store(size, itl, ctl, crypto):
    """The bytes of a raw partition of `size` bytes that holds these lists; `itl`, `ctl`: paths, `ctl` may be None.

    Each list must be one that a new phone would take, the CTL first, as at its boot. Otherwise ImageError.
    """
    trust = Trust(crypto, policy="first-use")
    sections = {}
    for kind, path in (("ctl", ctl), ("itl", itl)):
        if path is not None:
            sections[kind] = _judged(trust, kind, path)
    region = Region(size)
    store = Store(region, crypto)
    store.load()
    store.save(sections)
    return bytes(region.content)


def _judged(trust, kind, path):
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from error
    decision = trust.decide_list(kind, data)
    if not isinstance(decision, Decision):  # a question for TVS: its signer is not in the CTL
        raise ImageError(f"{path}: no phone would take it: the CTL given with it does not have its signer")
    if not decision.accepted:
        raise ImageError(f"{path}: no phone would take it: {decision.reason}: {decision.text}")
    trust.install(kind, decision.trust_list)
    return data
