# SPDX-License-Identifier: MIT
"""Decides when the phone asks CAPF for its own certificate, and acts on the outcome (docs/spec/capf.md, C12 to C16).

agent/servers/capf runs one session. The rules in short:
- C12: if a verified configuration names CAPF and a capfAuthMode of 2, 3 or 4, the phone asks once in each boot, because
  only the server knows whether there is something to do. Mode 0 means that no operation is pending.
- C13: mode 1 needs the string that a person types, so the phone waits for that person.
- C14: without trust the phone asks no server, because it could not tell which server to believe.
- C15: the configuration comes first, because the phone also works with an old certificate. If the certificate changes, or
  the configuration could not be read without a new certificate, the phone fetches it again (agent/boot/configuration.py).
- C16: if a server is absent, breaks off or wants to be asked later, the phone tries again after a while, at most RETRIES
  times in a row. It then fetches the configuration first. Meanwhile the phone does its other work.
"""

from agent.boot import outcomes
from agent.errors import TrustLost
from agent.flash.writes import TooManyWrites
from agent.trust.reasons import try_again
from agent.trust.wording.steps import waits_for_string

MODE_STRING = 1
_BY_ITSELF = (2, 3, 4)
#: How often a failed session is tried again, and the ms before the first try; they double each time.
RETRIES, FIRST_PAUSE = 5, 60000
#: The longest time (ms) that a server may put the phone off.
LONGEST_PAUSE = 3600000

_CHANGED = ("installed", "deleted")


class Enrolment:
    """The enrolment of one phone. make_client() returns an agent.servers.capf.client.CapfClient; make_client is None if the
    phone never enrols, as in a forecast. log(line): called with what happens.

    servers: [(host, port)] of the CAPF servers that the last verified configuration named. mode: its capfAuthMode. good:
    whether the last session went well; also True if there was none."""

    def __init__(self, make_client, judge, keeper, history, clock, log):
        self._make_client = make_client
        self._judge = judge
        self._keeper = keeper
        self._history = history
        self._clock = clock
        self._log = log
        self.servers = []
        self.mode = None
        self.good = True
        self._retries = 0
        self._due = None

    def take(self, configuration):
        """Remember what a verified configuration (PhoneConfig) says about enrolment."""
        self.servers = configuration.capf
        self.mode = configuration.capf_auth_mode

    def _possible(self):
        return bool(self.servers) and self._judge.trust.has_trust and self._make_client is not None

    @property
    def wanted(self):
        """Whether the phone contacts CAPF by itself."""
        return self.mode in _BY_ITSELF and self._possible()

    @property
    def wants_string(self):
        """Whether the cluster wants an enrolment by a string that a person types in."""
        return self.mode == MODE_STRING and self._possible()

    async def step(self, deadline):
        """Contact CAPF if the cluster wants it. deadline: ms of the clock. Returns whether the phone's certificate changed."""
        self.good = True
        self._due = None
        if self.wanted:
            return await self._session(None, deadline)
        if self.wants_string:
            self._log(waits_for_string(self.servers[0]))
        return False

    async def update(self, string, deadline):
        """Contact CAPF because a person wants it. string: the authentication string that the person typed, or None. deadline and
        result are those of step()."""
        trust = self._judge.trust
        reason = None
        if not self.servers:
            reason = "no-capf"
        elif trust.lost or not trust.has_trust:
            reason = "trust-lost" if trust.lost else "no-trust-list"
        if reason is not None:
            self._history.record(outcomes.enrolment(None, reason))
            return False
        return await self._session(string, deadline)

    def due(self):
        """Whether it is time to try a failed session again. It returns True only once."""
        if self._due is None or self._clock.monotonic() < self._due:
            return False
        self._due = None
        return True

    async def _session(self, string, deadline):
        # Imported late, because only a phone that enrols needs this in memory.
        from agent.servers.capf.client import Credentials

        identity = self._keeper.identity
        result = await self._make_client().run(
            self.servers,
            Credentials(MODE_STRING if string else self.mode or 0, string, identity.lsc, identity.mic),
            self._authenticate,
            self._store,
            self._delete,
            deadline,
        )
        self.good = self._history.record(outcomes.enrolment(result.server, result.outcome, result.text)).accepted
        if try_again(result.outcome):
            self._put_off(result.retry_delay)
        else:
            self._settle()
        return result.outcome in _CHANGED

    async def _authenticate(self, certificate):
        return self._history.record(await self._judge.server("capf", certificate))

    def _store(self, certificate, key):
        self._keeping(self._keeper.identity.keep, certificate, key)

    def _delete(self):
        self._keeping(self._keeper.identity.drop)

    def _keeping(self, keep, *pair):
        """Call keep(*pair) for the session. Raises OSError if the flash could not be written, also if trust is lost by that."""
        try:
            keep(*pair)
        except TrustLost as error:
            self._history.record(outcomes.lose(error, self._judge))
            raise OSError(5, "the trust store is damaged")
        except TooManyWrites as error:
            raise OSError(5, str(error))

    def _put_off(self, delay):
        """Try again in `delay` seconds, unless that was done RETRIES times already. None: the server did not say when."""
        if self._retries == RETRIES:
            self._due = None
            return
        pause = FIRST_PAUSE << self._retries if delay is None else max(delay, 1) * 1000
        self._due = self._clock.monotonic() + min(pause, LONGEST_PAUSE)
        self._retries += 1

    def _settle(self):
        self._retries, self._due = 0, None
