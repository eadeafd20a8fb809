# SPDX-License-Identifier: MIT
"""A restart into a new load: programs are told, and may ask for time, at most LONGEST from when they were told.

A program whose connection ends has no wish any more. Nobody connected: the phone restarts at once."""

#: ms that programs have to ask for more, and that all of them together may get
GRACE, LONGEST = 3000, 600000
_TICK = 250


class Restarter:
    """service: agent.local.service.Service. restart(): of the HAL's board. clock: of the HAL. log(line): what happens."""

    def __init__(self, service, restart, clock, log):
        self._service = service
        self._restart = restart
        self._clock = clock
        self._log = log

    async def restart(self, name):
        """Tell programs, wait for those that need time, restart into the load `name`. Does not return."""
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
