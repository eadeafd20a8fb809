# SPDX-License-Identifier: MIT
"""Works on the requests of the phone's other programs: may I talk to this TLS server, and fetch and verify this file for me.

Their decisions have a history of their own, so that a busy program does not push the boot's decisions out of the status."""

from agent.boot import outcomes
from agent.errors import Refused
from agent.fetch.errors import FetchError, NotFound
from agent.formats.signedfile import SignedFileSink

FILE_TIME = 600000  # ms that all servers together may take for one file
JUDGE_TIME = 60000  # ms that all TVS servers together may take for one question


class Programs:
    """fetcher, judge: the phone's. files, crypto, clock: of its HAL; files is None if the phone keeps none. limit: bytes of a
    file. history: an agent.boot.history.History for these decisions."""

    def __init__(self, fetcher, judge, files, crypto, limit, clock, history):
        self._fetcher = fetcher
        self._clock = clock
        self._judge = judge
        self._files = files
        self._crypto = crypto
        self._limit = limit
        self._history = history

    async def judge(self, purpose, certificate):
        """May a program talk to the TLS server with this certificate (DER) for this purpose? TVS is asked if necessary. Returns a
        Decision."""
        deadline = self._clock.monotonic() + JUDGE_TIME
        return self._history.record(await self._judge.server(purpose, certificate, deadline))

    async def fetch(self, name, owner):
        """Fetch a file for a program, such as a locale, a ring list or a firmware load. Returns (Decision, path of its content,
        or None).

        With trust installed this fetches the signed file, and adds `.sgn` to the name if it is missing. The content without
        its header gets its path only after it was accepted. Without trust this fetches the plain file. owner: the number for
        which hal.files keeps the file. Raises ValueError if the phone keeps no files."""
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
                decision = trust.decide_unsigned(name)  # refused before anything is fetched
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
        """The Decision about the unsigned file, because there is no signed file. None if there is no unsigned file either."""
        decision = self._judge.trust.decide_unsigned(plain)
        if decision.accepted:
            return await self._plain(plain, file)
        try:
            await self._get(plain, _Presence())
        except FetchError:
            return None
        except _Present:
            pass  # the file is there; nothing of it is kept
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
    """Ends the transfer: the first block of the file has come."""


class _Presence:
    """A sink that only finds out whether there is a file."""

    def begin(self, size):
        """The file starts. That proves nothing: some servers announce a file that they then do not have."""

    def write(self, block):
        """A block has come, so there is a file. Raises _Present."""
        raise _Present()
