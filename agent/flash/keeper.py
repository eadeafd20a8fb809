# SPDX-License-Identifier: MIT
"""The Keeper: what a phone keeps (trust lists, configuration, its own certificates), and where it lives in memory.

Rules kept here:
1. what is accepted is stored first and installed then, in one write;
2. what is stored already is not written again;
3. an installed list stays on flash; only what the rules search by is in memory (agent/flash/installed_list.py).
"""

from agent.flash.buffers import Lender
from agent.flash.identity import Identity
from agent.flash.installed_list import ListOnFlash
from agent.flash.slot import decode_servers, encode_servers
from agent.flash.store import Store
from agent.flash.writes import CountedStore
from agent.formats.trustlist import TrustList


class Kept:
    """What was loaded: ctl, itl (agent.formats.trustlist.TrustList or None)."""

    def __init__(self, ctl, itl):
        self.ctl = ctl
        self.itl = itl


class Configuration:
    """What is known of the verified configuration across a restart. name: its file. tvs: [(host, port)]. timestamp: of
    its signed header, None where it had none."""

    def __init__(self, name, tvs, timestamp):
        self.name = name
        self.tvs = tvs
        self.timestamp = timestamp


class Keeper:
    """flash, crypto, clock: of a HAL. buffer: a bytearray of at least agent.settings.Settings.buffer_size bytes. mic:
    certificate and key (DER) of the phone's maker, or None; ValueError where these do not belong together. show(pair):
    called with the certificate and key to show to servers, whenever that changes.

    store: CountedStore. identity: agent.flash.identity.Identity. configuration: Configuration, or None."""

    def __init__(self, flash, crypto, clock, buffer, mic=None, show=None):
        self.store = CountedStore(Store(flash, crypto), clock)
        self.identity = Identity(self.store, crypto, mic, show)
        self.configuration = None
        self._lender = Lender(buffer)
        self._crypto = crypto

    # Memory

    def take(self):
        """The buffer for a file. RuntimeError where somebody has it."""
        return self._lender.take()

    def give(self):
        """Take the buffer back: nobody uses its contents any more."""
        self._lender.give()

    # Flash

    def load(self):
        """Read everything from flash: Kept. TrustLost, PhonetrustError, ValueError, OSError: it cannot be read whole."""
        self.configuration = None
        self.identity.load(None)
        stored = self.store.load()
        if stored is None:
            return Kept(None, None)
        ctl, itl = self._read(stored, "ctl"), self._read(stored, "itl")
        name = stored.read("configuration-name")
        servers = stored.read("tvs-servers")
        if name is not None and servers is not None:
            time = stored.read("configuration-time")
            self.configuration = Configuration(
                str(bytes(name), "utf-8"), decode_servers(servers), int.from_bytes(time, "big") if time else None
            )
        self.identity.load(stored)
        return Kept(ctl, itl)

    def _read(self, stored, kind):
        """An installed list, which rests on flash, or None. What is installed was judged when it came: a limit that was
        lowered since then must not lock the phone out."""
        size = stored.length(kind)
        if size is None:
            return None
        buffer = self._lender.take()
        try:
            if size > len(buffer):
                buffer = bytearray(size)
            stored.read_into(kind, buffer)
            trust_list = TrustList(memoryview(buffer)[:size], self._crypto, size)
            self._rest(kind, trust_list)
            return trust_list
        finally:
            self._lender.give()

    def _rest(self, kind, trust_list):
        trust_list.rest_on(ListOnFlash(self.store, kind, len(trust_list.data)))

    def keep_list(self, kind, trust_list, same_cluster):
        """Store an accepted list, which then rests on flash. OSError, TrustLost, TooManyWrites: it was not stored.

        same_cluster: whether a signer of the old lists signed it. Another cluster has another clock, so the time of the
        old configuration says nothing about the next one."""
        changes = {kind: trust_list.data}
        if not same_cluster:
            changes["configuration-time"] = None
        self.store.save(changes)
        if not same_cluster and self.configuration is not None:
            self.configuration.timestamp = None
        self._rest(kind, trust_list)

    def keep_configuration(self, name, body, tvs, timestamp):
        """Store a verified configuration unless this very one is stored. Errors as keep_list."""
        changes = {
            "configuration-name": name.encode(),
            "configuration": body,
            "tvs-servers": encode_servers(tvs),
            "configuration-time": None if timestamp is None else timestamp.to_bytes(4, "big"),
        }
        if not self._holds(changes):
            self.store.save(changes)
        self.configuration = Configuration(name, list(tvs), timestamp)

    def load_name(self, which):
        """Name of the load that is "trial" (was last) on trial or that "failed" its trial last; None where there is none."""
        stored = self.store.current
        name = stored.read("load-" + which) if stored is not None else None
        return str(bytes(name), "utf-8") if name else None

    def keep_load_names(self, trial, failed):
        """Store both names, None for none. Errors as keep_list."""
        changes = {}
        for which, name in (("trial", trial), ("failed", failed)):
            if self.load_name(which) != name:
                changes["load-" + which] = name.encode() if name else None
        if changes:
            self.store.save(changes)

    def erase(self, what):
        """Remove the list "ctl" or "itl", or "all" of it. OSError, TrustLost, TooManyWrites. To be loaded anew then."""
        if what == "all":
            self.store.erase()
        else:
            self.store.save({what: None, "configuration-time": None})

    def _holds(self, changes):
        """Whether the store has exactly these sections: flash wears, and most boots change nothing."""
        stored = self.store.current
        if stored is None:
            return False
        try:
            for name in changes:
                if changes[name] is None:
                    if stored.find(name) is not None:
                        return False
                elif not stored.holds(name, changes[name]):
                    return False
        except OSError:
            return False  # saving finds out what is wrong
        return True
