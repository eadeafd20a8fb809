# SPDX-License-Identifier: MIT
"""Files for one phone or for a whole fleet, a bounded number of phones at once, in the same memory for ten and for a million.

Results go to a file on disk as they come (Spool) and are read again for the answer."""

import asyncio
import json
import tempfile
import typing
from dataclasses import dataclass

from agent.settings import Settings
from host_tools.live.files import LiveFiles, fetch_phone

NOBODY = "000000000000"
FILE_LIMIT = 1 << 20
#: After so many phones in a row for which nothing came, a server counts as gone.
GONE_AFTER = 3


@dataclass(frozen=True)
class Wanted:
    """A phone to fetch for. mac: text, "" for the cluster's lists alone. line: of the fleet, 0 where there is none."""

    mac: str
    line: int = 0


class Spool:
    """Rows on disk: add() one, count them, read them all. Closed with the program."""

    def __init__(self):
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.count = 0

    def add(self, *row):
        """Add a row of values that JSON can express."""
        self._file.write(json.dumps(row) + "\n")
        self.count += 1

    def rows(self, most=None):
        """The rows from the first, at most so many."""
        self._file.seek(0)
        for number, line in enumerate(self._file):
            if number == most:
                break
            yield json.loads(line)
        self._file.seek(0, 2)


class Collector:
    """host: "HOST[:PORT]". to: the folder of the files. values: settings beside mac and tftp. told(name, what): each file as
    it comes; ended(): a phone is done.

    got: Spool of (name, {"bytes", "way", "server"}). failed: Spool of (name, line, text)."""

    def __init__(self, host, to, values, at_once, told, ended):
        self._host = host
        self._to = to
        self._values = values
        self._at_once = at_once
        self._told = told
        self._ended = ended
        self._shared = {}  # results for names that all phones ask for, which are fetched once
        self._written = set()  # the shared files that are on disk
        self._silent = 0  # phones in a row for which nothing came
        self.got = Spool()
        self.failed = Spool()

    async def all(self, wanted):
        """Fetch for all of `wanted`, an iterable of Wanted. SettingsError; OSError where a file cannot be written."""
        from hal.host import Hal

        hal, left = Hal(), iter(wanted)

        async def work():
            for each in left:
                if self._silent >= GONE_AFTER:
                    text = "not asked for, because the server has stopped answering"
                    self.failed.add(f"SEP{each.mac}" if each.mac else "the lists", each.line, text)
                else:
                    await self._one(hal, each)
                self._ended()

        for each in left:  # the first alone: what all phones share is there before the others ask
            await self._one(hal, each)
            self._ended()
            break
        await asyncio.gather(*(work() for _ in range(self._at_once)))

    async def _one(self, hal, wanted):
        values: dict[str, typing.Any] = {"mac": wanted.mac or NOBODY, "tftp": [self._host], **self._values}
        settings = Settings(values, "HOST or --phone")
        device = settings.device if wanted.mac else None
        files = LiveFiles(hal, settings)

        def told(name, what):
            if settings.device not in name and what != "failed":
                self._shared[name] = what
            self._told(name, what)

        try:
            results = await fetch_phone(files, device, FILE_LIMIT, told, self._shared)
        finally:
            files.close()
        for name, text in files.failed.items():
            self.failed.add(name, wanted.line, text)
        answered = any(what != "failed" for what in results.values())
        self._silent = 0 if answered or not results else self._silent + 1
        for name, (content, way, server) in files.got.items():
            if settings.device not in name:
                if name in self._written:
                    continue  # two phones asked for it at once, since it had not come for the first one
                self._written.add(name)
            (self._to / name).write_bytes(content)
            self.got.add(name, {"bytes": len(content), "way": way, "server": server})
