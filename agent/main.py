# SPDX-License-Identifier: MIT
"""The main program of a phone. It is given a HAL, makes the parts of the phone, gives each part what it needs, and runs their
tasks.

The launchers (boards/phone.py on a board, host_tools/cli/phone.py on a PC) make the HAL and call boot() or run()."""

import asyncio
import gc

from agent import VERSION
from agent.boot.configuration import WebServer
from agent.boot.enrolment import Enrolment
from agent.boot.history import History
from agent.boot.order import make_boot
from agent.boot.work import Work
from agent.fetch.fetcher import Fetcher
from agent.fetch.tftp.client import Client as TftpClient
from agent.flash.keeper import Keeper
from agent.formats.text import SENTENCES_LIMIT, shown
from agent.local.certificates import CertificateFiles
from agent.local.console import Console
from agent.local.json_pieces import pieces
from agent.local.keys import Keys
from agent.local.programs import Programs
from agent.local.service import Service
from agent.local.status import View, refusal_of, state_of
from agent.servers.judge import Judge, trust_maker
from agent.servers.tvs.client import TvsClient

# The severities of a line of the log, named as in syslog.
INFO = "info"
NOTICE = "notice"
WARNING = "warning"
ERROR = "error"

_TICK = 1000  # ms between two feedings of the watchdog


class Phone:
    """A phone and its console output. judge, keeper, fetcher, history, view, work: its parts, for launchers and tests."""

    def __init__(
        self, hal, settings, servers=(), origin=0, mic=None, user=None, group=None, software=None, buffer=None
    ):
        """servers: the TFTP servers that DHCP gave, used if the settings have none. origin: ms of the clock at which the
        log's time begins. mic: (certificate DER, private key DER) from the phone's maker, or None; ValueError if these do
        not belong together. user, group: the numbers of the user and group as which this runs. software:
        agent.trust.loads.Software if the HAL can replace it. buffer: a bytearray of at least settings.buffer_size that the
        launcher made while the heap was empty (agent/flash/buffers.py). Without it, or if it is too small, one is made
        here."""
        self.hal = hal
        self.settings = settings
        self._origin = origin
        clock = hal.clock
        hal.net.static_rsa = settings.tls_static_rsa
        if buffer is None or len(buffer) < settings.buffer_size:
            buffer = bytearray(settings.buffer_size)
        self.keeper = Keeper(hal.flash, hal.crypto, clock, buffer, mic, self._show)
        self.history = History(self.report)
        self.tvs = TvsClient(hal.net, clock, hal.random, settings.full_name, settings.tvs_timeout, None, self.log)
        self.judge = Judge(trust_maker(hal.crypto, settings), self.tvs)
        web_server = WebServer(self.judge, self.history)
        self._tftp = self._tftp_client()
        self._web = self._make_web(web_server.accept)
        self.fetcher = Fetcher(self._tftp, self._web, settings.tftp or servers, clock, self.log)
        asked = History(self.report)
        self.programs = Programs(self.fetcher, self.judge, hal.files, hal.crypto, settings.file_limit, clock, asked)
        identity = self.keeper.identity
        keys = Keys(identity, hal.crypto, clock, settings.sign_limit, user, group)
        self._certificates = CertificateFiles(hal.published, self.judge, identity, self.log)
        self.view = View(
            settings, hal.crypto, self.judge, self.keeper, self.fetcher, self.tvs, self.history, asked, keys
        )
        self.service = Service(self.programs, keys, self.view, hal.files, clock, self.log, user)
        self.enrolment = Enrolment(self._capf_client, self.judge, self.keeper, self.history, clock, self.log)
        boot = make_boot(
            settings,
            hal.crypto,
            clock,
            self.fetcher,
            self.judge,
            web_server,
            self.keeper,
            self.enrolment,
            self.history,
            self.log,
        )
        self.installed = boot.installed
        if software is not None and hal.loads is not None:
            self.view.loads = self._make_loads(software, boot.configuration)
        self.work = Work(boot, self.enrolment, self.history, clock, self.log, self._summary, self.view.loads)

    def _make_loads(self, software, configuration):
        """The LoadStep, which replaces the phone's own software. It is imported late, because only some phones need it."""
        from agent.boot.load import LOAD_TIME, LoadStep
        from agent.local.restart import Restarter

        hal = self.hal
        tftp = self._tftp_client(LOAD_TIME)

        def fetcher(servers):
            return Fetcher(tftp, self._web, servers or self.fetcher.servers, hal.clock, self.log)

        restarter = Restarter(self.service, hal.board.restart, hal.clock, self.log)
        return LoadStep(
            hal.loads,
            software,
            hal.crypto,
            configuration,
            self.judge,
            self.keeper,
            fetcher,
            lambda: self.service.serving,
            self.history,
            hal.clock,
            self.log,
            restarter.restart,
        )

    def _tftp_client(self, deadline=None):
        hal, settings = self.hal, self.settings
        return TftpClient(
            hal.net,
            hal.clock,
            hal.random,
            block_size=settings.tftp_block_size,
            window=settings.tftp_window,
            timeout=settings.tftp_timeout,
            attempts=settings.tftp_attempts,
            deadline=deadline or settings.tftp_deadline,
            log=self.log,
        )

    def _make_web(self, accept):
        """The Web for HTTP and HTTPS if the settings want it, else None. Only then its code is loaded."""
        hal, settings = self.hal, self.settings
        if settings.file_transfer != "http":
            return None
        from agent.fetch.web import Web

        return Web(
            hal.net,
            hal.clock,
            accept,
            None,
            settings.http_port,
            settings.https_port,
            settings.http_timeout,
            settings.tftp_deadline,
        )

    def _show(self, identity):
        """Set the pair that is shown to servers which ask for a certificate: (certificate DER, private key DER), or None."""
        self.tvs.identity = identity
        if self._web is not None:
            self._web.identity = identity

    def _capf_client(self):
        from agent.servers.capf.client import CapfClient  # imported late: only a phone that enrols needs it in memory

        hal, settings = self.hal, self.settings
        names = (settings.device, settings.full_name)
        return CapfClient(hal.net, hal.clock, hal.crypto, names, settings.capf_timeout, self.log)

    # The log

    def line(self, severity, text):
        """Write a line of the log: seconds (on a board: since power-on), severity, text."""
        now = self.hal.clock.monotonic() - self._origin
        self.hal.console.write(
            "[%6d.%03d] %-7s %s\n" % (now // 1000, now % 1000, severity, shown(text, SENTENCES_LIMIT))
        )

    def log(self, text):
        """Write a line about something that happens between decisions."""
        self.line(INFO, text)

    def report(self, decision):
        """Write a decision as a line, write a line for each of its warnings, and tell subscribers."""
        severity = NOTICE if decision.accepted else ERROR
        self.line(severity, "%s %s %s: %s" % (decision.kind, decision.outcome, decision.reason, decision.text))
        for warning in decision.warnings:
            self.line(WARNING, "%s: %s" % (decision.kind, warning))
        self._certificates.update()  # before a program hears of the decision
        self.service.publish(decision)

    def _summary(self):
        trust = self.judge.trust
        locked_out = refusal_of(self.history.decisions) is not None
        text = "state %s, mode %s%s" % (state_of(trust), trust.mode, ", locked out" if locked_out else "")
        self.line(ERROR if locked_out else NOTICE, text)

    # Tasks

    async def boot(self):
        """Print the banner and boot once. Returns True if everything was accepted."""
        self._banner()
        return await self.work.boot()

    async def run(self, listener=None, booted=lambda good: None):
        """Boot, and serve until the board restarts. Console and service answer from the start (B11), whatever servers do.

        listener: the HAL's listening Unix socket for other programs. Without a listener this ends when the console's input
        ends. booted(good): called after the first boot."""
        self._banner()
        others = [asyncio.create_task(self._watchdog())]
        if listener is not None:
            others.append(asyncio.create_task(self.service.run(listener)))
        console = asyncio.create_task(self._console())
        work = asyncio.create_task(self.work.run(lambda good: self._ready(good, booted)))
        try:
            await (work if listener is not None else console)
        finally:
            for task in others + [console, work]:
                if not task.done():
                    task.cancel()

    def _banner(self):
        self.line(NOTICE, "phonetrust %s, %s, model %s" % (VERSION, self.settings.device, self.settings.model))

    def _ready(self, good, booted):
        self.line(INFO, "ready; type help for the commands of this console")
        booted(good)

    async def _watchdog(self):
        while True:
            self.hal.board.watchdog()
            self._certificates.update()
            await self._tftp.settle()
            await self.hal.clock.sleep(_TICK)

    async def _console(self):
        console = Console(self.view, Wishes(self), self.hal.console.write)
        while True:
            try:
                line = await self.hal.console.read_line()
            except EOFError:
                return
            try:
                await console.command(line)
            except MemoryError:
                gc.collect()
                self.line(ERROR, "this phone does not have enough memory for that")

    def status_json(self):
        """The status as one line of JSON."""
        return "".join(pieces(self.view.status()))


class Wishes:
    """The actions of a person at the console. Each writes a line of the log; erase() reports a decision instead."""

    def __init__(self, phone):
        self._work = phone.work
        self._board = phone.hal.board
        self._line = phone.line

    @property
    def wants_string(self):
        """Whether the cluster wants an enrolment by a string that a person types in."""
        return self._work.wants_string

    def restart(self):
        """Fetch lists and configuration again."""
        self._line(NOTICE, "restart asked for at the console")
        self._work.restart()

    def reset(self):
        """Restart the board. Does not return."""
        self._line(NOTICE, "reset asked for at the console")
        self._board.restart()

    def update_lsc(self, string=None):
        """Ask CAPF what it has for this phone. string: the authentication string that the person typed, or None."""
        self._line(NOTICE, "update of the LSC asked for at the console")
        self._work.update_lsc(string)

    def retry_load(self):
        """Try the load that failed its trial once more. Returns False if no load has failed."""
        if not self._work.retry_load():
            return False
        self._line(NOTICE, "another try of the load asked for at the console")
        return True

    async def erase(self, what):
        """Remove "itl", "ctl" or "all"."""
        await self._work.erase(what)
