# SPDX-License-Identifier: MIT
"""The Keeper stores what a phone keeps: trust lists, configuration, its own certificates. It also lends the buffer for files.

The rules:
1. what is accepted is stored in one write, and only then installed;
2. what is stored already is not written again;
3. an installed list stays on flash; memory has only what the rules search by (agent/flash/installed_list.py).
"""

from agent.flash.buffers import Lender
from agent.flash.identity import Identity
from agent.flash.installed_list import ListOnFlash
from agent.flash.slot import decode_servers, encode_servers
from agent.flash.store import Store
from agent.flash.writes import CountedStore
from agent.formats.trustlist import TrustList


class Kept:
    """The installed lists that were loaded. ctl, itl: agent.formats.trustlist.TrustList, or None."""

    def __init__(self, ctl, itl):
        self.ctl = ctl
        self.itl = itl


class Configuration:
    """What the phone remembers of its verified configuration across a restart. name: the file's name. tvs: [(host, port)] of
    the TVS servers. timestamp: TIMESTAMP of the signed file, or None."""

    def __init__(self, name, tvs, timestamp):
        self.name = name
        self.tvs = tvs
        self.timestamp = timestamp


class Keeper:
    """Stores and lends for one phone.

    flash, crypto, clock: of a HAL. buffer: a bytearray of at least agent.settings.Settings.buffer_size bytes. mic, show: as in
    agent.flash.identity.Identity; raises ValueError as it does. Attributes: store (CountedStore), identity (Identity) and
    configuration (Configuration, or None)."""

    def __init__(self, flash, crypto, clock, buffer, mic=None, show=None):
        self.store = CountedStore(Store(flash, crypto), clock)
        self.identity = Identity(self.store, crypto, mic, show)
        self.configuration = None
        self._lender = Lender(buffer)
        self._crypto = crypto

    # Memory

    def take(self):
        """Borrow the buffer for a file. Raises RuntimeError if it is lent already."""
        return self._lender.take()

    def give(self):
        """Return the buffer. Its contents must not be used afterwards."""
        self._lender.give()

    # Flash

    def load(self):
        """Read everything from flash; returns Kept. Raises PhonetrustError (TrustLost among others), ValueError or OSError if
        the state cannot be read whole."""
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
        """The installed list of this kind, which rests on flash, or None. It has no size limit here: it was judged when it
        came, and a limit that was lowered since then must not lock the phone out."""
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
        """Store an accepted list, which then rests on flash. Raises OSError, TrustLost or TooManyWrites if it was not stored.

        same_cluster: whether a signer in the old lists signed it. Otherwise the phone may have come to another cluster with
        another clock, so it forgets the TIMESTAMP of the old configuration."""
        changes = {kind: trust_list.data}
        if not same_cluster:
            changes["configuration-time"] = None
        self.store.save(changes)
        if not same_cluster and self.configuration is not None:
            self.configuration.timestamp = None
        self._rest(kind, trust_list)

    def keep_configuration(self, name, body, tvs, timestamp):
        """Store a verified configuration unless the same one is stored already. name: the file's name. body: its bytes. tvs:
        [(host, port)]. timestamp: TIMESTAMP, or None. Errors as keep_list."""
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
        """The name of the load that is, or was last, on trial (which: "trial"), or that failed its trial last ("failed"). None
        if there is none."""
        stored = self.store.current
        name = stored.read("load-" + which) if stored is not None else None
        return str(bytes(name), "utf-8") if name else None

    def keep_load_names(self, trial, failed):
        """Store both names; None removes a name. Errors as keep_list."""
        changes = {}
        for which, name in (("trial", trial), ("failed", failed)):
            if self.load_name(which) != name:
                changes["load-" + which] = name.encode() if name else None
        if changes:
            self.store.save(changes)

    def load_writes(self):
        """How many loads the phone began to write without a pause (agent/boot/load.py, WRITES)."""
        stored = self.store.current
        count = stored.read("load-writes") if stored is not None else None
        return count[0] if count else 0

    def keep_load_writes(self, count):
        """Store the number that load_writes() returns, at most 255. Errors as keep_list."""
        self.store.save({"load-writes": bytes([count])})

    def erase(self, what):
        """Remove the list "ctl" or "itl", or "all". Errors as keep_list. The caller calls load() afterwards."""
        if what == "all":
            self.store.erase()
        else:
            self.store.save({what: None, "configuration-time": None})

    def _holds(self, changes):
        """Whether the store has exactly these sections. Most boots change nothing, and flash wears out by writing."""
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
            return False  # save() will report the fault
        return True
