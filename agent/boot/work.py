# SPDX-License-Identifier: MIT
"""The one task that changes what a phone trusts. It boots, boots again, enrols, and erases what a person wants erased.

Only one job runs at a time. A person's wish waits until the running job ends. Erasing is the exception: it ends the job,
because a person who removes trust should not have to wait for silent servers. After a pause the phone tries again what
failed and may work later (agent/trust/reasons.py), so it recovers by itself when the network comes back."""

import asyncio
import gc

from agent.trust.reasons import try_again

#: ms before a boot that found no server, or ran out of time, is tried again. It doubles from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 10000, 80000
_TICK = 1  # s between two checks for jobs that are due
_WISHES = 4  # how many wishes may wait
_BOOT = object()  # the wish for a boot; any other wish is an authentication string for CAPF, or None


class Work:
    """Runs the jobs of one phone. boot: agent.boot.order.Boot. enrolment: agent.boot.enrolment.Enrolment. history, clock: as
    in Boot. log(line): called with what happens. ended(): called after each boot. loads: agent.boot.load.LoadStep, or None
    if the phone cannot replace its software."""

    def __init__(self, boot, enrolment, history, clock, log, ended, loads=None):
        self.boot_order = boot
        self._enrolment = enrolment
        self._history = history
        self._clock = clock
        self._log = log
        self._ended = ended
        self._loads = loads
        self._wishes = []
        self._wished = asyncio.Event()
        self._job = None
        self._stopping = False
        self._pause = FIRST_PAUSE
        self._due = None

    async def run(self, booted):
        """Boot, call booted(good), and go on with wishes and with jobs that are due, until the task is cancelled."""
        booted(await self._as_job(self.boot()))
        await self._as_job(self.update())
        while True:
            try:
                await asyncio.wait_for(self._wished.wait(), _TICK)
            except asyncio.TimeoutError:
                pass
            self._wished.clear()
            await self._as_job(self.turn())

    async def boot(self):
        """Boot once. Returns True if everything was accepted."""
        good = await self.boot_order.run()
        self._ended()
        return good

    async def update(self):
        """After a boot: say what became of a load on trial, and take the load that the configuration names."""
        if self._loads is not None:
            await self._loads.run()

    async def turn(self):
        """Do all wishes, then the jobs that are due."""
        while self._wishes:
            string = self._wishes.pop(0)
            if string is _BOOT:
                await self.boot()
                await self.update()
            else:
                await self._enrol(string)
        if self._enrolment.due():
            self._log("asking CAPF again, after the configuration")
            await self.boot_order.configuration.run(self.boot_order.begin())
        await self._boot_again()

    async def _enrol(self, string):
        deadline = self.boot_order.begin()
        if await self._enrolment.update(string, deadline):
            await self.boot_order.configuration.fetch_again()

    async def _boot_again(self):
        decisions = self._history.decisions
        last = decisions[-1] if decisions else None
        if last is None or last.accepted or last.kind == "lsc" or not try_again(last.reason):
            self._pause, self._due = FIRST_PAUSE, None
        elif self._due is None:
            self._due = self._clock.monotonic() + self._pause
        elif self._clock.monotonic() >= self._due:
            self._pause, self._due = min(2 * self._pause, LAST_PAUSE), None
            self._log("asking the servers again")
            await self.boot()
            await self.update()

    async def _as_job(self, coroutine):
        """Run the coroutine as a job that erase() can end. Returns its result, or None if it was ended or failed by a fault of
        this program. Console, service and later jobs go on."""
        self._job = asyncio.create_task(coroutine)
        try:
            return await self._job
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            return None
        except Exception as error:
            gc.collect()
            self._log("what the phone was doing ended in a fault: %r" % error)
            return None
        finally:
            self._job = None
            self._stopping = False

    # What a person wishes

    @property
    def wants_string(self):
        """Whether the cluster wants an enrolment by a string that a person types in."""
        return self._enrolment.wants_string

    def restart(self):
        """Fetch lists and configuration again."""
        if _BOOT not in self._wishes:
            self._wish(_BOOT)

    def retry_load(self):
        """Forget that a load failed its trial, and fetch everything again. Returns False if no load has failed."""
        if self._loads is None or not self._loads.retry():
            return False
        self.restart()
        return True

    def update_lsc(self, string=None):
        """Ask CAPF what it has for this phone. string: the authentication string that a person typed, or None."""
        self._wish(string)

    async def erase(self, what):
        """End the running job, and remove "itl", "ctl" or "all" at once."""
        if self._job is not None:
            self._stopping = True
            self._job.cancel()
            while self._job is not None:
                await self._clock.sleep(10)
            self._log("the phone has stopped fetching")
        self.boot_order.installed.erase(what)

    def _wish(self, wish):
        if len(self._wishes) < _WISHES:
            self._wishes.append(wish)
        self._wished.set()
