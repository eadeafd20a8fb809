# SPDX-License-Identifier: MIT
"""The order of things when a phone starts (docs/spec/rules.md, B1 to B6).

Boot does the I/O and decides nothing: it fetches, asks Trust, asks TVS where Trust wants that, stores what was accepted
and only then installs it. Every step ends in a Decision, which is reported and kept."""

import gc

from agent.boot import outcomes
from agent.boot.configuration import ConfigurationStep
from agent.boot.enrolment import Enrolment
from agent.errors import PhonetrustError, TransferError, TrustLost
from agent.fetch.tftp import client as tftp
from agent.flash.buffers import BufferSink, Pool
from agent.flash.identity import Identity
from agent.flash.store import Store
from agent.local.programs import Requests
from agent.servers.tvs.client import TvsClient
from agent.settings import TVS_PORT
from agent.trust.decision import Decision
from agent.trust.rules import Trust
from agent.trust.wording import TRUST_LOST

#: How many decisions are kept for the status.
HISTORY = 16


class Boot:
    """One phone. hal: its HAL. settings: agent.settings.Settings. servers: TFTP servers learned by DHCP, used where the
    settings name none. report(decision) is called at each step; log(line) with what happens in between. mic: (certificate
    DER, private key DER) of the phone's maker, or None; ValueError where these do not belong together.

    trust: agent.trust.rules.Trust. identity: agent.flash.identity.Identity. enrolment: agent.boot.enrolment.Enrolment.
    tftp_server: the one that answered last, or None. decisions: the last ones, oldest first. requests:
    agent.local.programs.Requests, what other programs of the phone ask for."""

    def __init__(self, hal, settings, servers=(), report=None, log=None, mic=None):
        self.hal = hal
        self.settings = settings
        self.servers = list(settings.tftp or servers)
        self.decisions = []
        self.tftp_server = None
        self.trust = None
        self._report = report
        self.log = log or _silent
        self.pool = Pool(max(settings.size_limit, settings.configuration_limit))
        self._buffers = {}  # "ctl", "itl" -> the buffer that the installed list lives in
        self.store = Store(hal.flash, hal.crypto)
        self.identity = Identity(self.store, hal.crypto, mic)
        self.enrolment = Enrolment(self)
        self._configuration = ConfigurationStep(self)
        self.requests = Requests(self)
        self.tftp = tftp.Client(
            hal.net,
            hal.clock,
            hal.random,
            block_size=settings.tftp_block_size,
            window=settings.tftp_window,
            timeout=settings.tftp_timeout,
            attempts=settings.tftp_attempts,
            deadline=settings.tftp_deadline,
            log=log,
        )
        self._provisioning = None
        if settings.provisioning == "http":
            from agent.fetch.web import Provisioning

            self._provisioning = Provisioning(self)
        self.tvs = TvsClient(hal.net, hal.clock, hal.random, settings.full_name, settings.tvs_timeout, log=log)

    # docs/spec/rules.md, B1

    def load(self):
        """Take the installed trust, the configuration and the TVS servers from flash. Returns a Decision or None."""
        for kind in list(self._buffers):
            self.pool.give(self._buffers.pop(kind))
        self._make_trust(None, None, lost=True)  # until it is read; the old lists make room
        self._configuration.load(None)
        self.identity.load(None)
        try:
            stored = self.store.load()
            lists = {}
            if stored is not None:
                for kind in ("ctl", "itl"):
                    lists[kind] = self._read(stored, kind)
            self._make_trust(lists.get("itl"), lists.get("ctl"))
            self._configuration.load(stored)
            self.identity.load(stored)
        except (PhonetrustError, ValueError, OSError) as error:
            # Also where a list that was accepted cannot be read any more: that is lost trust, not no trust.
            return self.record(self.lose("flash", error))
        finally:
            self.tvs.identity = self.identity.shown
        self.name_tvs_servers()
        return None

    def _make_trust(self, itl, ctl, lost=False):
        settings = self.settings
        self.trust = Trust(
            self.hal.crypto,
            settings.policy,
            settings.size_limit,
            settings.refuse_weak,
            itl=itl,
            ctl=ctl,
            lost=lost,
        )

    def lose(self, kind, error):
        """What was stored cannot be read whole: from now on nothing is believed. The Decision that says so."""
        self._make_trust(None, None, lost=True)
        self.name_tvs_servers()
        return Decision(False, "trust-lost", kind, TRUST_LOST, {"detail": str(error)})

    def save(self, kind, changes, evidence):
        """Write to flash: None, or the Decision that says why it did not work."""
        try:
            self.store.save(changes)
        except OSError as error:
            return Decision(False, "not-stored", kind, outcomes.not_stored(kind, error), evidence)
        except TrustLost as error:
            return self.lose(kind, error)
        return None

    def _read(self, stored, kind):
        """An installed list in a buffer of its own, or None."""
        size = stored.length(kind)
        if size is None:
            return None
        buffer = bytearray(size) if self.pool.unfit(size) else self._take(kind)
        stored.read_into(kind, buffer)
        return memoryview(buffer)[:size]

    def name_tvs_servers(self):
        """Tell the TVS client what the configuration and the installed lists say of its servers."""
        servers = list(self.configuration.tvs) if self.configuration is not None else []
        servers += [(host, TVS_PORT) for host in self.trust.tvs_hosts()]
        self.tvs.set_servers(servers)
        self.tvs.set_certificates(self.trust.tvs_certificates())

    # The whole boot

    def run(self):
        """B1 to B5. Returns True where each step's file was accepted or is rightly absent."""
        self.load()
        if self.trust.lost:
            return False
        if not self.servers:
            self.record(Decision(False, "no-server", "tftp", outcomes.NO_SERVERS))
            return False
        if self._provisioning is not None:
            self._provisioning.begin()
        good = True
        configuration = "%s.cnf.xml" % self.settings.device
        for kind, step in (
            ("ctl", self.fetch_ctl),
            ("itl", self.fetch_itl),
            (configuration, self.fetch_configuration),
        ):
            try:
                decision = step()
            except MemoryError:
                gc.collect()  # all readers have limits; should a file get past them, the phone still goes on
                decision = self.record(Decision(False, "no-memory", kind, outcomes.NO_MEMORY))
            good = good and decision.accepted
            if decision.reason == "no-server":
                break  # the others would only wait as long for the same servers
        return good and self.enrolment.good

    def record(self, decision, kept=None):
        """Keep a decision for the status, in `kept` (default: decisions), and report it."""
        decision.trust_list = None  # its memory is needed for the next one
        kept = self.decisions if kept is None else kept
        kept.append(decision)
        if len(kept) > HISTORY:
            kept.pop(0)
        if self._report:
            self._report(decision)
        return decision

    # docs/spec/rules.md, B3 and B4

    def fetch_ctl(self):
        """B3: the CTL of this phone, else the cluster's. A Decision."""
        return self._fetch_list("ctl")

    def fetch_itl(self):
        """B4: the ITL of this phone, else the cluster's. A Decision."""
        return self._fetch_list("itl")

    def _fetch_list(self, kind):
        prefix = kind.upper()
        buffer = self.pool.take()
        kept = False
        try:
            for name in ("%s%s.tlv" % (prefix, self.settings.device), "%sFile.tlv" % prefix):
                sink = BufferSink(buffer)
                failure = self.fetch(name, sink, self.settings.size_limit)
                if failure is None:
                    decision = self.resolve(self.trust.decide_list(kind, sink.data))
                    if decision.accepted and decision.reason != "unchanged":
                        decision, kept = self._install(kind, decision, buffer)
                    return self.record(decision)
                if failure.reason != "not-found":
                    return self.record(outcomes.failed(kind, failure))
            return self.record(outcomes.no_list(kind, self.trust))
        finally:
            if not kept:
                self.pool.give(buffer)

    def _take(self, kind):
        """A buffer of the pool for an installed list."""
        self._buffers[kind] = self.pool.take()
        return self._buffers[kind]

    def _install(self, kind, decision, buffer):
        """Store an accepted list, then put it in place of the old one.

        The Decision, and whether `buffer` is the list's from now on: a small list gets memory of its own size."""
        trust_list = decision.trust_list
        kept = not self.pool.unfit(len(trust_list.data))
        if not kept:
            trust_list.move(bytearray(len(trust_list.data)))
        failure = self.save(kind, {kind: trust_list.data}, decision.evidence)
        if failure is not None:
            return failure, False
        self.trust.install(kind, trust_list)
        if kind in self._buffers:
            self.pool.give(self._buffers.pop(kind))
        if kept:
            self._buffers[kind] = buffer
        self.tvs.clear()
        self.name_tvs_servers()
        return decision, kept

    def fetch(self, name, sink, limit):
        """Fetch a file from the first server that answers, by HTTP if the settings say so, else by TFTP; None, or the
        TransferError."""
        servers = self.servers
        if self.tftp_server in servers:
            servers = [self.tftp_server] + [server for server in servers if server != self.tftp_server]
        failure = None
        if self._provisioning is not None:
            server, failure = self._provisioning.fetch(servers, name, sink, limit)
            if server is not None:
                self.tftp_server = server
                return failure
        try:
            self.tftp_server = self.tftp.fetch(servers, name, sink, limit).server
        except TransferError as error:
            if error.reason == "not-found":
                self.tftp_server = servers[len(error.failures) - 1]  # an answer, from the last that was asked
            elif error.reason == "no-server" and failure is not None and failure.reason != "no-server":
                return failure  # what HTTP delivered says more
            return error
        return None

    def resolve(self, decision):
        """The Decision that an answer of Trust leads to: TVS is asked as long as it is a Question."""
        while decision.accepted is None:
            question = decision
            decision = self.trust.answer(question, self.tvs.ask(question))
            if decision.accepted is False:
                self.tvs.forget(question)
        return decision

    def judge_server(self, purpose, certificate):
        """May this TLS server (certificate in DER) be talked to for this purpose? Asks TVS if need be. A Decision."""
        return self.record(self.resolve(self.trust.decide_server(purpose, certificate)))

    # docs/spec/rules.md, B5

    def fetch_configuration(self):
        """B5: the phone's configuration, else the default one; and CAPF, where it says so. A Decision."""
        return self._configuration.fetch()

    def update_lsc(self, string=None):
        """Ask CAPF because a person wishes so, with the authentication string that was typed in, if any."""
        if self.enrolment.update(string):
            self._configuration.fetch_again()

    @property
    def configuration(self):
        """The configuration in use: agent.formats.phoneconfig.PhoneConfig, or what is kept of it (tvs), or None."""
        return self._configuration.current

    @property
    def configuration_name(self):
        """The name of its file, or None."""
        return self._configuration.name

    # What a person may do

    def erase(self, what):
        """Remove what a person at the phone asked for: "ctl", "itl", or "all" back to factory state. A Decision.

        Where trust is lost, there is nothing to take out of it: then everything goes."""
        everything = what == "all" or self.trust.lost
        try:
            if everything:
                self.store.erase()
            else:
                self.store.save({what: None})
        except OSError as error:
            return self.record(Decision(False, "not-stored", "flash", outcomes.not_erased(error)))
        except TrustLost as error:
            return self.record(self.lose("flash", error))
        self.tvs.clear()
        self.load()
        return self.record(Decision(True, "erased", "flash", outcomes.erased("all" if everything else what)))


def _silent(line):
    pass
