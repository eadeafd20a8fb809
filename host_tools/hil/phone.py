# SPDX-License-Identifier: MIT
"""A phone on a board as a test or a script uses it: boot it, type to it, read its decisions."""

import json
import re

import pexpect

from host_tools.board import card as cards
from host_tools.hil.strategy import State

DECISION = re.compile(r"\] +\w+ +(?P<kind>\S+) (?P<outcome>accepted|refused) (?P<reason>[a-z-]+): (?P<text>.*)")
TIME = re.compile(r"\[ *(\d+\.\d+)\]")


class ConsoleError(AssertionError):
    """The console did not say what a test waited for. The text has what it said instead."""


class BoardPhone:
    """One phone behind its PhoneStrategy."""

    def __init__(self, strategy):
        self.strategy = strategy
        self.console = strategy.console
        self.power = strategy.power
        self.card = strategy.card
        self.heard = ""  # everything read from the console since the last power-on or forget()

    def new(self, **settings):
        """A card with a fresh image and these settings in phone.json; power is off."""
        self.strategy.transition(State.flashed)
        self.change_settings(**settings)

    def change_settings(self, **settings):
        """Edit phone.json; power goes off for it."""
        self.strategy.transition(State.off)
        with self.card.in_pc() as path:
            cards.change_settings(path, settings)

    def boot(self):
        """Power off where it is on, power on, wait until ready -> (state, mode, locked out)."""
        self.strategy.transition(State.off)
        self.heard = ""
        self.strategy.transition(State.on)
        return self.await_ready()

    def await_ready(self):
        """Wait for the end of a boot that has begun -> (state, mode, locked out)."""
        found = self.await_state(self.strategy.boot_limit)
        self.expect(r"ready; type help", 60)
        self.strategy.status = State.ready
        return found

    def await_state(self, timeout=60):
        """Wait until it has fetched all its files -> (state, mode, locked out)."""
        found = self.expect(r"state ([a-z-]+), mode ([a-z]+)(, locked out)?\r?\n", timeout)
        self.strategy.phone_state = (found[1], found[2], found[3] is not None)
        return self.strategy.phone_state

    def expect(self, pattern, timeout=60):
        """Wait for a regular expression -> its match. ConsoleError with the last lines where it does not come."""
        try:
            _, before, match, after = self.console.expect(re.compile(pattern.encode()), timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            rest = self.console._expect.before or b""
            self.heard += rest.decode(errors="replace")
            why = "the console ended" if isinstance(error, pexpect.EOF) else f"not within {timeout} s"
            last = "\n".join(self.heard.splitlines()[-15:])
            raise ConsoleError(f"/{pattern}/: {why}; the last lines were:\n{last}") from None
        self.heard += (before + after).decode(errors="replace")
        return re.search(pattern, match[0].decode(errors="replace"))

    def await_line(self, pattern, timeout=60):
        """The match of a regular expression in what was heard already, or in what comes. ConsoleError."""
        return re.search(pattern, self.heard) or self.expect(pattern, timeout)

    def type(self, line):
        """Type a line at the console, and forget what it said before."""
        self.heard = ""
        self.console.sendline(line)

    def restart(self):
        """Let it fetch all its files again -> (state, mode, locked out)."""
        self.type("restart")
        self.expect("restart asked for at the console")
        return self.await_state()

    def status(self):
        """The status that `show status` prints, as a dictionary."""
        self.type("show status")
        return json.loads(self.expect(r"(\{.*\})\r?\n", 60)[1])

    def decisions(self):
        """{kind: (outcome, reason)} of the decisions heard; the last of each kind."""
        return {found["kind"]: (found["outcome"], found["reason"]) for found in DECISION.finditer(self.heard)}

    def seconds(self, text):
        """Seconds after power-on at which a line with this text was written."""
        for line in self.heard.splitlines():
            if text in line:
                found = TIME.search(line)
                if found:
                    return float(found[1])
        raise ConsoleError(f"no line heard has {text!r}")
