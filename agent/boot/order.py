# SPDX-License-Identifier: MIT
"""The steps of a boot, in their order (docs/spec/rules.md, B1 to B6). The steps themselves fetch and decide.

    B1  installed trust, configuration and certificates, from flash         agent/boot/installed.py
    B3  the CTL                                                              agent/boot/lists.py
    B4  the ITL                                                              agent/boot/lists.py
    B5  the configuration, and what it says to do: enrol, take a new load    agent/boot/configuration.py

The launcher does B2, which finds the servers; agent/main.py does B6, which serves. Each step is given what it uses.
preflight and the lab's forecast run the same steps, with files in the place of servers."""

import gc

from agent.boot import outcomes
from agent.boot.configuration import ConfigurationStep
from agent.boot.installed import Installed
from agent.boot.lists import ListStep


class Boot:
    """Runs the steps. installed: the first step (agent.boot.installed.Installed). lists: the steps of the trust lists.
    configuration: the last step. Each of these later steps has name, good, and async run(deadline), which returns a Decision.
    fetcher, judge: told when a boot begins. history, clock: the phone's. budget: ms that one boot may take (B9)."""

    def __init__(self, installed, lists, configuration, fetcher, judge, history, clock, budget):
        self.installed = installed
        self.configuration = configuration
        self._budget = budget
        self.steps = list(lists) + [configuration]
        self._fetcher = fetcher
        self._judge = judge
        self._history = history
        self._clock = clock

    async def run(self):
        """Run B1 to B5. Returns True if the file of each step was accepted or is rightly absent."""
        lost = self.installed.run()
        if lost is not None:
            return False
        if not self._fetcher.servers:
            self._history.record(outcomes.no_servers())
            return False
        deadline = self.begin()
        good = True
        for step in self.steps:
            if self._clock.monotonic() >= deadline:
                good = False
                break
            decision = await self._run(step, deadline)
            good = good and decision.accepted and step.good
            if decision.reason == "no-server":
                break  # the other steps would find no server either
        if not good and self._clock.monotonic() >= deadline:
            self._history.record(outcomes.out_of_time(self._budget, self._fetcher.costs()))
        return good

    def begin(self):
        """Let the fetcher and the judge ask all servers again, also those that failed. Returns the deadline (ms of the clock)
        of the boot that begins now."""
        deadline = self._clock.monotonic() + self._budget
        self._fetcher.begin(deadline)
        self._judge.begin(deadline)
        return deadline

    async def _run(self, step, deadline):
        try:
            return await step.run(deadline)
        except MemoryError:
            gc.collect()  # all readers have limits; if a file is too much in spite of them, the phone goes on
            return self._history.record(outcomes.no_memory(step.name))


def make_boot(settings, crypto, clock, fetcher, judge, web_server, keeper, enrolment, history, log):
    """The Boot of a phone with these settings (agent.settings.Settings) and parts. log(line): called with what happens."""
    lists = [
        ListStep(kind, settings.device, fetcher, judge, keeper, history, settings.size_limit) for kind in ("ctl", "itl")
    ]
    configuration = ConfigurationStep(settings, crypto, fetcher, judge, web_server, keeper, enrolment, history, log)
    installed = Installed(keeper, judge, history)
    return Boot(installed, lists, configuration, fetcher, judge, history, clock, settings.boot_budget * 1000)
