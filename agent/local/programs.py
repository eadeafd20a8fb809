# SPDX-License-Identifier: MIT
"""What the phone's other programs ask of it: may I talk to this TLS server, fetch and verify this file for me.

Their decisions are kept apart from the boot's: a busy program must not push the phone's own out of its status."""

from agent.boot import outcomes
from agent.errors import PhonetrustError, Refused
from agent.formats.signedfile import SignedFileSink
from agent.trust.decision import Decision
from agent.trust.wording import unreadable

#: ms between two turns that others get while a file arrives.
TURN = 100


class Abandoned(PhonetrustError):
    """Who asked has gone; raised by a `turn` to end the transfer."""

    reason = "abandoned"


class Requests:
    """For one phone (agent.boot.order.Boot). decisions: the last ones, oldest first."""

    def __init__(self, boot):
        self._boot = boot
        self.decisions = []

    def judge(self, purpose, certificate):
        """May the TLS server with this certificate (DER) be talked to for this purpose? Asks TVS if need be. A Decision."""
        boot = self._boot
        decision = boot.trust.decide_server(purpose, certificate)
        if decision.accepted is None:
            try:
                boot.hal.crypto.certificate(certificate)
            except ValueError:  # TVS is not asked about what is no certificate
                decision = Decision(False, "malformed", purpose, outcomes.NO_CERTIFICATE)
        return self._record(boot.resolve(decision))

    def fetch(self, name, owner, turn=None):
        """Fetch a locale, a ring list, a firmware load ...: (Decision, path of its content or None).

        With trust installed the signed file is fetched (`.sgn` is added where the name lacks it); its content without the
        header is there under the path only once it was accepted, else nothing is. Without trust the plain file. owner: who
        the file is kept for (hal.files). turn(): called every TURN ms while blocks arrive; may raise Abandoned. Raises
        ValueError where the HAL keeps no files."""
        boot = self._boot
        if boot.hal.files is None:
            raise ValueError("this phone keeps no files for other programs")
        signed = name.endswith(".sgn") or boot.trust.has_trust
        if signed and not name.endswith(".sgn"):
            name += ".sgn"
        file = None
        path = None
        try:
            if boot.trust.lost:
                decision = boot.trust.decide_unsigned(name)  # nothing needs to be fetched to refuse it
            else:
                file = boot.hal.files.create(owner)
                decision = self._signed(name, file, turn) if signed else self._plain(name, file, turn)
                if decision.accepted:
                    path = file.keep()
        except OSError as error:
            decision = Decision(False, "not-stored", name, outcomes.file_not_stored(name, error))
        finally:
            if file is not None:
                file.drop()
        return self._record(decision), path

    def _signed(self, name, file, turn):
        boot = self._boot
        sink = SignedFileSink(boot.hal.crypto, boot.settings.file_limit, file)
        try:
            failure = boot.fetch(name, _Turns(sink, boot.hal.clock, turn), boot.settings.file_limit)
            if failure is not None and failure.reason == "not-found":
                return self._only_plain(name) or outcomes.failed(name, failure)
            if failure is not None:
                return outcomes.failed(name, failure)
            content = sink.finish()
        except Refused as refusal:
            return Decision(False, refusal.reason, name, unreadable(name, refusal))
        finally:
            sink.close()
        return boot.resolve(boot.trust.decide_file(name, content))

    def _only_plain(self, name):
        """The refusal of an unsigned file that is there where the signed one is not, or None. Nothing of it is kept."""
        plain = name[: -len(".sgn")]
        failure = None
        try:
            failure = self._boot.fetch(plain, _Presence(), self._boot.settings.file_limit)
        except _Present:
            pass
        return self._boot.trust.decide_unsigned(plain) if failure is None else None

    def _plain(self, name, file, turn):
        boot = self._boot
        failure = boot.fetch(name, _Turns(file, boot.hal.clock, turn), boot.settings.file_limit)
        return outcomes.failed(name, failure) if failure is not None else boot.trust.decide_unsigned(name)

    def _record(self, decision):
        return self._boot.record(decision, self.decisions)


class _Turns:
    """A sink before another one; gives others a turn between blocks."""

    def __init__(self, sink, clock, turn):
        self._sink = sink
        self._clock = clock
        self._turn = turn
        self._last = clock.monotonic()
        self.begin = sink.begin

    def write(self, block):
        """The next bytes."""
        self._sink.write(block)
        now = self._clock.monotonic()
        if self._turn is not None and now - self._last >= TURN:
            self._turn()
            self._last = self._clock.monotonic()


class _Present(Exception):
    """The first block of a file came."""


class _Presence:
    """A sink that only wants to know whether there is a file."""

    def begin(self, size):
        """Nothing is known yet: servers announce a file that they then do not have."""

    def write(self, block):
        """It is there."""
        raise _Present()
