# SPDX-License-Identifier: MIT
"""When the phone asks CAPF for its own certificate, and what comes of it (docs/spec/capf.md, C12 to C16).

The rules, all [inferred] but where marked. agent/servers/capf is one session.
1. CAPF is contacted when a verified configuration names a CAPF and a capfAuthMode of 2 (nobody is asked), 3 or 4 (LSC or
   MIC). Mode 0 is no operation. Mode 1 needs the string that a person types in: then the phone waits for that person
   [documented]. Whether anything is to be done, and what, only the server knows; so it is asked once a boot.
2. Without trust nothing is asked: there is nobody to believe the server's certificate by.
3. It is asked after the configuration, as the phone works with an old certificate too; where that one cannot be read
   without a new certificate, the configuration is fetched again after it (agent/boot/configuration.py).
4. A server that is not there, breaks off or wants to be asked later is asked again after a while, RETRIES times in a
   row, by fetching the configuration again; between these the phone does its other work.
"""

from agent.boot import outcomes
from agent.errors import TrustLost

MODE_STRING = 1
_BY_ITSELF = (2, 3, 4)
#: How often a session that came to nothing is tried again, and after how many ms: doubled each time.
RETRIES, FIRST_PAUSE = 5, 60000
#: The longest time (ms) that a server may put the phone off.
LONGEST_PAUSE = 3600000

_CHANGED = ("installed", "deleted")
_AGAIN = ("retry-later", "interrupted", "unreachable")


class Enrolment:
    """The enrolment of one phone (agent.boot.order.Boot). server: (host, port) of the CAPF that the last verified
    configuration named, or None; mode: its capfAuthMode. good: whether the last session, if there was one, went as it
    should."""

    def __init__(self, boot):
        self._boot = boot
        self.server = None
        self.mode = None
        self.good = True
        self._retries = 0
        self._due = None

    def take(self, configuration):
        """Remember what a verified configuration (PhoneConfig) says about enrolment."""
        self.server = configuration.capf
        self.mode = configuration.capf_auth_mode

    @property
    def wanted(self):
        """Whether CAPF is to be contacted without anybody's wish."""
        return self.server is not None and self.mode in _BY_ITSELF and self._boot.trust.has_trust

    @property
    def wants_string(self):
        """Whether the cluster wants an enrolment by a string that a person types in."""
        return self.server is not None and self.mode == MODE_STRING and self._boot.trust.has_trust

    def step(self):
        """Contact CAPF if it is wanted. Returns whether the phone's certificate changed."""
        self.good = True
        self._due = None
        if self.wanted:
            return self._session(None)
        if self.wants_string:
            self._boot.log(outcomes.waits_for_string(self.server))
        return False

    def update(self, string=None):
        """Contact CAPF because a person wishes so, with the string that was typed in, if any. Returns as step()."""
        if self.server is None:
            self._boot.record(outcomes.enrolment(None, "no-capf"))
            return False
        trust = self._boot.trust
        if trust.lost or not trust.has_trust:
            reason = "trust-lost" if trust.lost else "no-trust-list"
            self._boot.record(outcomes.enrolment(self.server, reason))
            return False
        return self._session(string)

    def due(self):
        """Whether the time has come to try again what came to nothing; says so once."""
        if self._due is None or self._boot.hal.clock.monotonic() < self._due:
            return False
        self._due = None
        return True

    def _session(self, string):
        # Only a phone that enrols needs these in its memory.
        from agent.servers.capf.client import CapfClient, Credentials

        boot = self._boot
        identity = boot.identity
        client = CapfClient(
            boot.hal.net,
            boot.hal.clock,
            boot.hal.crypto,
            boot.settings.full_name,
            boot.settings.capf_timeout,
            boot.log,
        )
        result = client.run(
            self.server[0],
            self.server[1],
            Credentials(MODE_STRING if string else self.mode or 0, string, identity.lsc, identity.mic),
            lambda certificate: boot.judge_server("capf", certificate),
            self._keep,
            self._drop,
        )
        boot.tvs.identity = identity.shown
        self.good = boot.record(outcomes.enrolment(self.server, result.outcome, result.text)).accepted
        if result.outcome in _AGAIN:
            self._put_off(result.retry_delay)
        else:
            self._settle()
        return result.outcome in _CHANGED

    def _keep(self, certificate, key):
        """For the session: OSError where the flash did not take the new LSC, trust that is lost by that included."""
        try:
            self._boot.identity.keep(certificate, key)
        except TrustLost as error:
            raise self._lost(error)

    def _drop(self):
        try:
            self._boot.identity.drop()
        except TrustLost as error:
            raise self._lost(error)

    def _lost(self, error):
        self._boot.record(self._boot.lose("flash", error))
        return OSError(5, "the trust store is damaged")

    def _put_off(self, delay):
        """Try again in `delay` seconds (None: unsaid), if not too often already."""
        if self._retries == RETRIES:
            self._due = None
            return
        pause = FIRST_PAUSE << self._retries if delay is None else max(delay, 1) * 1000
        self._due = self._boot.hal.clock.monotonic() + min(pause, LONGEST_PAUSE)
        self._retries += 1

    def _settle(self):
        self._retries, self._due = 0, None
