# SPDX-License-Identifier: MIT
"""The Judge decides whether a list, a file or a server may be believed. It puts the rules (agent/trust/rules.py) and TVS
together.

Only the Judge asks TVS for as long as the rules return a Question. The phone, preflight, the lab's forecast and the
tests all use it, and each gives it an asker of its own."""

from agent.errors import TrustLost
from agent.formats.phoneconfig import TVS_PORT
from agent.trust.decision import Answer, Decision
from agent.trust.rules import Trust
from agent.trust.wording.steps import NO_CERTIFICATE

#: How often the rules decide, at most, because the installed lists changed while TVS was asked.
ROUNDS = 3


class Asker:
    """The asker of a Judge without TVS: every Question stays without an answer. Askers without a network inherit from it.

    agent.servers.tvs.client.TvsClient has the same methods and asks real servers."""

    def set_servers(self, servers):
        """Set the servers to ask: (host, port), best first."""

    def set_certificates(self, certificates):
        """Set the certificates (DER) that a server may show."""

    def begin(self, deadline):
        """A boot begins, and ends at `deadline` (ms of the clock). Servers that failed may be asked again."""

    def clear(self):
        """Forget all answers."""

    def forget(self, question):
        """Forget the answer to this Question."""

    async def ask(self, question, deadline=None):
        """The Answer to a Question (agent/trust/decision.py). deadline: ms of the clock, for a question outside of the boot;
        None means the boot's deadline."""
        return Answer("unreachable", text="no trust verification service can be asked")


class Judge:
    """Decides with the installed lists, and asks TVS where the rules want it.

    make_trust(itl=None, ctl=None, lost=False) makes an agent.trust.rules.Trust with this phone's policy, and raises Refused
    if a list cannot be read. asker: an Asker or a TvsClient. The attribute `trust` is the Trust that is installed now."""

    def __init__(self, make_trust, asker):
        self._make_trust = make_trust
        self._asker = asker
        self._configured = []
        self.trust = make_trust()
        self.version = 0  # grows whenever the installed lists change

    # What is installed

    def use(self, itl, ctl):
        """Judge by these lists (each a TrustList, bytes or None) from now on. Raises Refused if one cannot be read."""
        self.trust = self._make_trust(itl=itl, ctl=ctl)
        self._changed()

    def lose(self):
        """The installed trust cannot be read. From now on nothing is believed (docs/spec/rules.md, D1)."""
        self.trust = self._make_trust(lost=True)
        self._changed()

    def install(self, kind, trust_list):
        """Judge by this accepted list from now on, in the place of the old one. The caller has stored it already. kind: "ctl"
        or "itl"."""
        self.trust.install(kind, trust_list)
        self._changed()

    def configure(self, servers):
        """Set the TVS servers that the verified configuration names: (host, port), best first."""
        self._configured = list(servers)
        self._name_servers()

    def _changed(self):
        self.version += 1
        self._asker.clear()
        self._asker.set_certificates(self.trust.tvs_certificates())
        self._name_servers()

    def _name_servers(self):
        self._asker.set_servers(self._configured + [(host, TVS_PORT) for host in self.trust.tvs_hosts()])

    def begin(self, deadline):
        """A boot begins, and ends at `deadline` (ms of the clock)."""
        self._asker.begin(deadline)

    # Decisions. `deadline`: ms of the clock, for a question outside of the boot; None means the boot's deadline.

    async def list(self, kind, data, deadline=None):
        """May this trust list be installed? kind: "ctl" or "itl". Returns a Decision; if it is accepted, `.trust_list` is the
        list."""
        return await self._settle(lambda: self.trust.decide_list(kind, data), deadline)

    async def file(self, name, signed, limit=None, previous=None, deadline=None):
        """May this file be used under the name that it was asked for? signed: bytes, or a SignedFile. limit: bytes. previous:
        TIMESTAMP of the last verified file of this name, or None. Returns a Decision."""
        return await self._settle(lambda: self.trust.decide_file(name, signed, limit, previous), deadline)

    async def body(self, name, data, server, limit=None, previous=None, deadline=None):
        """May the body of an HTTPS answer be used? server: the Decision about its server. The other arguments are those of
        file(). Returns a Decision."""
        return await self._settle(lambda: self.trust.decide_body(name, data, server, limit, previous), deadline)

    async def server(self, purpose, certificate, deadline=None):
        """May the phone talk to a TLS server with this certificate (DER)? purpose: a key of agent.trust.rules.PURPOSES.
        Returns a Decision."""

        def decide():
            decision = self.trust.decide_server(purpose, certificate)
            if decision.accepted is None and not self._readable(certificate):
                return Decision(False, "malformed", purpose, NO_CERTIFICATE)
            return decision

        return await self._settle(decide, deadline)

    def _readable(self, certificate):
        try:
            self.trust.crypto.certificate(certificate)
            return True
        except ValueError:
            return False

    async def _settle(self, decide, deadline):
        """The Decision. If an installed list can no longer be read from flash, trust is lost (docs/spec/rules.md, D1)."""
        try:
            return await self._ask(decide, deadline)
        except TrustLost:
            self.lose()
            return decide()

    async def _ask(self, decide, deadline):
        """Ask TVS for as long as the rules return a Question. An answer of TVS holds only for the lists that raised the
        Question: if the lists changed meanwhile, the rules decide anew."""
        for _ in range(ROUNDS):
            seen = self.version
            decision = decide()
            while decision.accepted is None and self.version == seen:
                question = decision
                decision = self.trust.answer(question, await self._asker.ask(question, deadline))
                if decision.accepted is False:
                    self._asker.forget(question)
            if self.version == seen:
                return decision
        return decision if decision.accepted is not None else self.trust.answer(decision, _CHANGING)


_CHANGING = Answer("unreachable", text="the installed lists changed while it was asked")


def trust_maker(crypto, settings):
    """The `make_trust` of a Judge, for a phone with these settings (agent/settings.py)."""

    def make(itl=None, ctl=None, lost=False):
        return Trust(
            crypto,
            settings.policy,
            settings.size_limit,
            settings.refuse_weak,
            itl,
            ctl,
            lost,
            settings.replay,
            settings.device,
        )

    return make
