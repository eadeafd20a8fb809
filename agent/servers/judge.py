# SPDX-License-Identifier: MIT
"""The Judge: the rules (agent/trust/rules.py) and TVS together. It answers: may this list, file or server be believed?

This is the one place that asks TVS for as long as the rules return a Question. The phone, preflight, the lab's forecast
and the tests use it; each gives it another asker."""

from agent.errors import TrustLost
from agent.formats.phoneconfig import TVS_PORT
from agent.trust.decision import Answer, Decision
from agent.trust.rules import Trust
from agent.trust.wording.steps import NO_CERTIFICATE

#: How often a question is put anew because the installed lists changed while TVS was asked.
ROUNDS = 3


class Asker:
    """The asker of a Judge without TVS: it never answers. Askers that need no network inherit from it.

    agent.servers.tvs.client.TvsClient has the same methods, and asks servers."""

    def set_servers(self, servers):
        """The servers to ask, as (host, port), best first."""

    def set_certificates(self, certificates):
        """The certificates (DER) that a server may show."""

    def begin(self, deadline):
        """A boot begins, and ends at `deadline` (ms of the clock): failed servers are asked again."""

    def clear(self):
        """Forget all answers."""

    def forget(self, question):
        """Forget the answer to this Question."""

    async def ask(self, question, deadline=None):
        """The Answer to a Question (agent/trust/decision.py). deadline: ms of the clock, for what is asked outside of a
        boot; None: the boot's."""
        return Answer("unreachable", text="no trust verification service can be asked")


class Judge:
    """make_trust(itl=None, ctl=None, lost=False): makes the agent.trust.rules.Trust of this phone's policy; Refused where
    a list cannot be read. asker: an Asker or TvsClient. trust: what is installed now."""

    def __init__(self, make_trust, asker):
        self._make_trust = make_trust
        self._asker = asker
        self._configured = []
        self.trust = make_trust()
        self.version = 0  # another number whenever other lists are installed

    # What is installed

    def use(self, itl, ctl):
        """Judge by these lists (TrustList, bytes or None) from now on. Refused where one cannot be read."""
        self.trust = self._make_trust(itl=itl, ctl=ctl)
        self._changed()

    def lose(self):
        """The installed trust cannot be read: nothing is believed from now on."""
        self.trust = self._make_trust(lost=True)
        self._changed()

    def install(self, kind, trust_list):
        """Put an accepted list, which is stored already, in the place of the old one."""
        self.trust.install(kind, trust_list)
        self._changed()

    def configure(self, servers):
        """The TVS servers that the verified configuration names, as (host, port), best first."""
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
        """A boot begins, which ends at `deadline` (ms of the clock)."""
        self._asker.begin(deadline)

    # Answers; deadline: ms of the clock for what is asked outside of a boot, None: the boot's

    async def list(self, kind, data, deadline=None):
        """May this trust list be installed? kind "ctl" or "itl". A Decision; an accepted one has the list as .trust_list."""
        return await self._settle(lambda: self.trust.decide_list(kind, data), deadline)

    async def file(self, name, signed, limit=None, previous=None, deadline=None):
        """May this file be used under the name it was asked for? signed: bytes, or a SignedFile. limit: bytes.
        previous: TIMESTAMP of the last verified file of this name, or None. A Decision."""
        return await self._settle(lambda: self.trust.decide_file(name, signed, limit, previous), deadline)

    async def body(self, name, data, server, limit=None, previous=None, deadline=None):
        """May the body of an HTTPS answer be used? server: the Decision about the server; the rest as of file()."""
        return await self._settle(lambda: self.trust.decide_body(name, data, server, limit, previous), deadline)

    async def server(self, purpose, certificate, deadline=None):
        """May a TLS server with this certificate (DER) be talked to? purpose: of agent.trust.rules.PURPOSES. A Decision."""

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
            return False  # TVS is not asked about bytes that are not a certificate

    async def _settle(self, decide, deadline):
        """The Decision; where an installed list cannot be read from flash any more, trust is lost (D1)."""
        try:
            return await self._ask(decide, deadline)
        except TrustLost:
            self.lose()
            return decide()

    async def _ask(self, decide, deadline):
        """Ask TVS for as long as the rules return a Question. An answer of TVS holds for the lists that raised
        the Question: where they changed meanwhile, the rules decide anew."""
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
    """For a Judge: makes the Trust of a phone with these settings."""

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
