# SPDX-License-Identifier: MIT
"""Restarts the phone into a new load. Programs are told before, and may ask for time: at most LONGEST, counted from then.

The wish of a program ends with its connection. If no program has subscribed, the phone restarts at once."""

#: ms in which programs can ask for more time, and ms that they can get at most.
GRACE, LONGEST = 3000, 600000
_TICK = 250


class Restarter:
    """service: agent.local.service.Service. restart: the function of the HAL's board. clock: of the HAL. log(line): called with
    what happens."""

    def __init__(self, service, restart, clock, log):
        self._service = service
        self._restart = restart
        self._clock = clock
        self._log = log

    async def restart(self, name):
        """Tell the programs, wait for those that need time, and restart into the load `name`. Does not return."""
        begun = self._clock.monotonic()
        if self._service.announce_restart(name, begun + LONGEST):
            self._log("programs are told that the phone restarts into %s" % name)
            while True:
                until = max(begun + GRACE, self._service.restart_wanted_after())
                if self._clock.monotonic() >= min(until, begun + LONGEST):
                    break
                await self._clock.sleep(_TICK)
        self._log("restarting into %s" % name)
        self._restart()
