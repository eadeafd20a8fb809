# SPDX-License-Identifier: MIT
"""The main program of a phone, given a HAL: boots, prints one line an event, keeps its status for others to read.

The launchers (boards/phone.py on a board, host_tools/cli/phone.py on a PC) make the HAL and call
start(), then serve() where the phone is to stay."""

import gc

from agent import VERSION
from agent.boot.order import Boot
from agent.local.console import Console
from agent.local.json_pieces import pieces
from agent.local.service import Service
from agent.local.status import refusal_of, state_of, status

# Severity of an event, as syslog names them.
INFO = "info"
NOTICE = "notice"
WARNING = "warning"
ERROR = "error"

_TICK = 1000  # ms between two looks at the watchdog
#: ms after which the TFTP servers are asked again where none answered: doubled each time, up to the second
_FIRST_PAUSE, _LAST_PAUSE = 10000, 80000


class Phone:
    """A phone with its console output: boot it, ask its status."""

    def __init__(self, hal, settings, servers=(), origin=0, mic=None):
        """servers: TFTP servers that DHCP gave. origin: the clock's ms at which the log's time begins. mic: certificate
        and private key (DER) of the phone's maker, or None; ValueError where these do not belong together."""
        self.hal = hal
        self.origin = origin
        self._pause = _FIRST_PAUSE
        self._due = None
        self.service = None
        self.boot = Boot(hal, settings, servers, report=self.report, log=self.log, mic=mic)

    def line(self, severity, text):
        """One line of the log: seconds (since power-on, on a board), severity, text."""
        now = self.hal.clock.monotonic() - self.origin
        self.hal.console.write("[%6d.%03d] %-7s %s\n" % (now // 1000, now % 1000, severity, text))

    def log(self, text):
        """What happens between decisions."""
        self.line(INFO, text)

    def report(self, decision):
        """One decision, as a line; its warnings as lines of their own."""
        severity = NOTICE if decision.accepted else ERROR
        self.line(severity, "%s %s %s: %s" % (decision.kind, decision.outcome, decision.reason, decision.text))
        for warning in decision.warnings:
            self.line(WARNING, "%s: %s" % (decision.kind, warning))
        if self.service is not None:
            self.service.publish({"event": "decision", "decision": decision.as_dict()})

    def start(self):
        """Print the banner and boot. Returns True where everything was accepted."""
        settings = self.boot.settings
        self.line(NOTICE, "phonetrust %s, %s, model %s" % (VERSION, settings.device, settings.model))
        good = self.boot.run()
        self._summary()
        return good

    def _summary(self):
        trust = self.boot.trust
        locked_out = refusal_of(self.boot.decisions) is not None
        text = "state %s, mode %s%s" % (state_of(trust), trust.mode, ", locked out" if locked_out else "")
        self.line(ERROR if locked_out else NOTICE, text)

    # What the console asks for

    def restart(self):
        """Fetch lists and configuration again."""
        self.line(NOTICE, "restart asked for at the console")
        self.boot.run()
        self._summary()

    def reset(self):
        """Start the board anew; does not return."""
        self.line(NOTICE, "reset asked for at the console")
        self.hal.board.restart()

    def update_lsc(self, string=None):
        """Ask CAPF for what it has for this phone, with the authentication string that was typed in, if any."""
        self.line(NOTICE, "update of the LSC asked for at the console")
        self.boot.update_lsc(string)

    def erase(self, what):
        """Remove "itl", "ctl" or "all"."""
        self.boot.erase(what)

    def serve(self, listener=None):
        """Answer the console and other programs, and feed the watchdog, until the board restarts.

        listener: a listening Unix socket of the HAL for agent.service. Without it, this ends with the console's input."""
        console = Console(self, self.hal.console.write)
        poller = self.hal.net.poller()
        poller.watch(self.hal.console)
        if listener is not None:
            self.service = Service(self, listener, poller)
        self.line(INFO, "ready; type help for the commands of this console")
        waiting = False
        while True:
            for thing, readable, writable in poller.wait(0 if waiting else _TICK):
                if thing is not self.hal.console:
                    self.service.ready(thing, readable, writable)
                elif not self._read_console(console):
                    poller.forget(thing)
                    if listener is None:
                        return
            waiting = self.service is not None and self.service.serve_next()
            self.boot.tftp.settle()
            self._ask_again()
            self.hal.board.watchdog()

    def _read_console(self, console):
        """All lines that wait at the console; False where its input has ended."""
        try:
            line = self.hal.console.read_line(0)
            while line is not None:
                try:
                    console.command(line)
                except MemoryError:
                    gc.collect()
                    self.line(ERROR, "this phone has not enough memory for that")
                line = self.hal.console.read_line(0)
        except EOFError:
            return False
        return True

    def _ask_again(self):
        """Fetch again after a pause while no TFTP server answers: a network comes back without anybody's help.

        Where it was CAPF that could not be asked, or wanted to be asked later, only the configuration is."""
        decisions = self.boot.decisions
        if self.boot.enrolment.due():
            self.line(NOTICE, "asking CAPF again, after the configuration")
            self.boot.fetch_configuration()
        if not decisions or decisions[-1].reason != "no-server":
            self._pause, self._due = _FIRST_PAUSE, None
        elif self._due is None:
            self._due = self.hal.clock.monotonic() + self._pause
        elif self.hal.clock.monotonic() >= self._due:
            self._pause, self._due = min(2 * self._pause, _LAST_PAUSE), None
            self.line(NOTICE, "asking the TFTP servers again")
            self.boot.run()
            self._summary()

    def status_json(self):
        """The status as one line of JSON."""
        return "".join(pieces(status(self.boot)))
