# SPDX-License-Identifier: MIT
"""A phone that boots on paper: the boot's own steps (agent/boot/order.py), with files in place of servers.

    phone = TrialPhone(settings, crypto, files, asker, itl=old_list)
    decisions = phone.boot()
    phone.itl, phone.ctl                          what it holds then

With files nothing waits. Where the asker asks a real server, use `await phone.run()`."""

from agent.boot.configuration import WebServer
from agent.boot.enrolment import Enrolment
from agent.boot.history import History
from agent.boot.order import make_boot
from agent.errors import PhonetrustError
from agent.fetch.errors import NotFound, TooLarge
from agent.fetch.fetcher import HTTPS, TFTP, Fetched
from agent.flash.keeper import Keeper
from agent.servers.judge import Judge, trust_maker
from agent.servers.network import server_text
from agent.settings import Settings

#: Bytes of the memory that stands for flash: two slots for lists and a configuration.
FLASH_SIZE = 1 << 20


class MemoryFlash:
    """A flash part in memory."""

    def __init__(self, size=FLASH_SIZE):
        self.size = size
        self._data = bytearray(size)

    def read_into(self, offset, buffer):
        """Fill `buffer` from `offset`."""
        buffer[:] = memoryview(self._data)[offset : offset + len(buffer)]

    def write(self, offset, data):
        """Write `data` at `offset`."""
        self._data[offset : offset + len(data)] = data

    def sync(self):
        """Do nothing: this is memory."""


class StandingClock:
    """A clock that stands still, because nothing here takes time."""

    def monotonic(self):
        """Milliseconds."""
        return 0


class FileSource:
    """In place of an agent.fetch.fetcher.Fetcher: gets files from `files`, a mapping of names to bytes.

    https: the same for the files of the HTTPS server; None: there is none. server: the (host, port) that this stands for."""

    def __init__(self, files, https=None, server=("files", 0)):
        self._files = files
        self._https = https
        self.servers = (server,)

    def begin(self, deadline):
        """A boot begins."""

    def costs(self):
        """Nothing costs time here."""
        return []

    async def fetch(self, name, sink, limit, deadline=None, secure=False, judge=None):
        """As Fetcher.fetch."""
        refused = None
        for way, files in ((HTTPS, self._https if secure else None), (TFTP, self._files)):
            content = files.get(name) if files else None
            if content is None:
                continue
            if len(content) > limit:
                text = f"announced with {len(content)} bytes, the limit is {limit}"
                raise TooLarge(server_text(self.servers[0]), name, text)
            sink.begin(len(content))
            sink.write(memoryview(content))
            fetched = Fetched(self.servers[0], way, judge is None or await judge(way, self.servers[0]), [])
            if fetched.satisfied:
                return fetched
            refused = fetched
        if refused is None:
            raise NotFound(None, name, "there is no such file")
        return refused


class TrialPhone:
    """settings: agent.settings.Settings. crypto: of a HAL. files: a mapping of names to bytes, a FileSource, or LiveFiles,
    which fetches from servers (host_tools/live/files.py; then with the clock of a HAL). asker: an agent.servers.judge.Asker.
    itl, ctl: bytes of what the phone has installed, or None. mic: its certificate and key.
    configuration: the agent.flash.keeper.Configuration that it verified last, or None.

    Refused where itl or ctl cannot be read."""

    def __init__(self, settings, crypto, files, asker, itl=None, ctl=None, mic=None, configuration=None, clock=None):
        clock = clock or StandingClock()
        source = files if hasattr(files, "fetch") else FileSource(files)
        self._keeper = Keeper(MemoryFlash(), crypto, clock, bytearray(settings.buffer_size), mic)
        self._judge = Judge(trust_maker(crypto, settings), asker)
        self._judge.use(itl, ctl)  # raises Refused where a list is damaged
        self._history = History()
        web_server = WebServer(self._judge, self._history)
        self.accepts_web_server = web_server.accept
        enrolment = Enrolment(None, self._judge, self._keeper, self._history, clock, _silent)
        self._boot = make_boot(
            settings, crypto, clock, source, self._judge, web_server, self._keeper, enrolment, self._history, _silent
        )
        self._keeper.store.load()
        self._keeper.store.save({"itl": itl, "ctl": ctl})
        if configuration is not None:
            self._keeper.keep_configuration(configuration.name, b"", configuration.tvs, configuration.timestamp)
            self._judge.configure(configuration.tvs)

    @property
    def trust(self):
        """What the phone trusts now (agent.trust.rules.Trust)."""
        return self._judge.trust

    @property
    def itl(self):
        """The file of its ITL (bytes), or None."""
        return _bytes(self.trust.itl)

    @property
    def ctl(self):
        """The file of its CTL (bytes), or None."""
        return _bytes(self.trust.ctl)

    @property
    def configuration(self):
        """The agent.flash.keeper.Configuration that it verified last, or None."""
        return self._keeper.configuration

    async def run(self):
        """Boot once: the Decisions of this boot, in order."""
        self._history.decisions.clear()
        await self._boot.run()
        return list(self._history.decisions)

    def takes(self, kind, data):
        """The Decision about a list ("ctl" or "itl"), which changes nothing."""
        return at_once(self._judge.list(kind, data, 1))

    def judge(self, purpose, certificate):
        """May the phone talk to this TLS server, after a boot? A Decision, for an asker that never waits."""
        return at_once(self._judge.server(purpose, certificate, 1))  # a deadline that the standing clock never reaches

    def boot(self):
        """As run(), for an asker that never waits."""
        return at_once(self.run())


def at_once(coroutine):
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise PhonetrustError("this question needs a server, and files were to answer it")


def phone_settings(mac, **values):
    """The Settings of a phone with this MAC address (text), for files on paper."""
    return Settings({"mac": mac, "tftp": ["files"], **values})


def _bytes(trust_list):
    return None if trust_list is None else bytes(trust_list.data[:])


def _silent(line):
    pass
