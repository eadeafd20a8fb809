# SPDX-License-Identifier: MIT
"""The requests of the phone's other programs: may I talk to this TLS server, fetch and verify this file for me.

Their decisions are kept apart from the boot's: a busy program must not push the phone's own out of its status."""

from agent.boot import outcomes
from agent.errors import Refused
from agent.fetch.errors import FetchError, NotFound
from agent.formats.signedfile import SignedFileSink

FILE_TIME = 600000  # ms that all servers together may take for one file
JUDGE_TIME = 60000  # ms that all TVS servers together may take for one question


class Programs:
    """fetcher, judge: of the phone. files: of its HAL, None where it keeps none. crypto: of its HAL. limit: bytes of a
    file. clock: of the HAL. history: where these decisions are recorded (agent.boot.history.History)."""

    def __init__(self, fetcher, judge, files, crypto, limit, clock, history):
        self._fetcher = fetcher
        self._clock = clock
        self._judge = judge
        self._files = files
        self._crypto = crypto
        self._limit = limit
        self._history = history

    async def judge(self, purpose, certificate):
        """May the TLS server with this certificate (DER) be talked to for this purpose? Asks TVS if need be. A Decision."""
        deadline = self._clock.monotonic() + JUDGE_TIME
        return self._history.record(await self._judge.server(purpose, certificate, deadline))

    async def fetch(self, name, owner):
        """Fetch a locale, a ring list, a firmware load ...: (Decision, path of its content or None).

        With trust installed this fetches the signed file (and adds `.sgn` where the name lacks it). Its content without the
        header appears under the path only after it was accepted. Without trust it fetches the plain file. owner: who
        the file is kept for (hal.files). Raises ValueError where the HAL keeps no files."""
        if self._files is None:
            raise ValueError("this phone keeps no files for other programs")
        trust = self._judge.trust
        signed = name.endswith(".sgn") or trust.has_trust
        if signed and not name.endswith(".sgn"):
            name += ".sgn"
        file = None
        path = None
        try:
            if trust.lost:
                decision = trust.decide_unsigned(name)  # it is refused without being fetched
            else:
                file = self._files.create(owner)
                decision = await (self._signed(name, file) if signed else self._plain(name, file))
                if decision.accepted:
                    path = file.keep()
        except OSError as error:
            decision = outcomes.file_not_stored(name, error)
        finally:
            if file is not None:
                file.drop()
        return self._history.record(decision), path

    async def _signed(self, name, file):
        sink = SignedFileSink(self._crypto, self._limit, file)
        try:
            await self._get(name, sink)
            content = sink.finish()
        except NotFound as failure:
            return await self._instead(name[: -len(".sgn")], file) or outcomes.failed(name, failure)
        except FetchError as failure:
            return outcomes.failed(name, failure)
        except Refused as refusal:
            return outcomes.refused(name, refusal)
        finally:
            sink.close()
        return await self._judge.file(name, content, deadline=self._clock.monotonic() + JUDGE_TIME)

    async def _instead(self, plain, file):
        """The Decision about the unsigned file where there is no signed one; None where there is neither."""
        decision = self._judge.trust.decide_unsigned(plain)
        if decision.accepted:
            return await self._plain(plain, file)
        try:
            await self._get(plain, _Presence())
        except FetchError:
            return None
        except _Present:
            pass  # nothing of it is kept
        return decision

    async def _plain(self, name, file):
        try:
            await self._get(name, file)
        except FetchError as failure:
            return outcomes.failed(name, failure)
        return self._judge.trust.decide_unsigned(name)

    async def _get(self, name, sink):
        await self._fetcher.fetch(name, sink, self._limit, self._clock.monotonic() + FILE_TIME)


class _Present(Exception):
    """The first block of a file came."""


class _Presence:
    """A sink that only finds out whether there is a file."""

    def begin(self, size):
        """Nothing is known yet: servers announce a file that they then do not have."""

    def write(self, block):
        """It is there."""
        raise _Present()
