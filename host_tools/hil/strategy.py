# SPDX-License-Identifier: MIT
"""The states that a person would bring a phone into, and the ways between them."""

import enum
import re

import attr
from labgrid.factory import target_factory
from labgrid.step import step
from labgrid.strategy import Strategy, StrategyError
from labgrid.strategy.common import never_retry

# The line of a phone that has booted and listens to its console.
READY = re.compile(rb"ready; type help[^\n]*\n")
STATE = re.compile(rb"state ([a-z-]+), mode ([a-z]+)(, locked out)?[^\n]*\n")


class State(enum.Enum):
    """off: no power. flashed: no power, and the card holds a fresh image. on: power. ready: booted, its state known."""

    unknown = "unknown"
    off = "off"
    flashed = "flashed"
    on = "on"
    ready = "ready"


@target_factory.reg_driver
@attr.s(eq=False)
class PhoneStrategy(Strategy):
    """Power, console and card of one phone.

    `phone_state` is what it said of itself when it last became ready, like ("trusted", "nonsecure", False): its state,
    the cluster's mode, whether it is locked out.

    Args:
        boot_limit (float): seconds from power-on to ready
    """

    bindings = {"power": "PowerProtocol", "console": "ConsoleProtocol", "card": "CardProtocol"}

    boot_limit = attr.ib(default=180.0, converter=float)
    status = attr.ib(default=State.unknown, init=False)
    phone_state = attr.ib(default=None, init=False)

    @never_retry
    @step(args=["status"])
    def transition(self, status):
        """Bring the phone to a State or its name. From "on", the states "on" and "ready" need no second power-on."""
        wanted = State[status] if isinstance(status, str) else status
        if wanted == State.unknown:
            raise StrategyError("a phone cannot be brought to the state 'unknown'")
        if wanted in (State.off, State.flashed):
            self._switch_off()
        if wanted == State.flashed:
            self.target.activate(self.card)
            self.card.write(self.target.env.config.get_image_path("card"))
        if wanted in (State.on, State.ready) and self.status not in (State.on, State.ready):
            if self.status == State.unknown:
                self._switch_off()
            self.target.activate(self.console)
            self.target.activate(self.power)
            if self.power is not self.console:
                self.console.note("power on")
            self.power.on()
            self.status = State.on
        if wanted == State.ready and self.status != State.ready:
            self.await_ready()
        self.status = wanted

    def await_ready(self):
        """Wait until the phone says that it is ready, also after a restart of its own."""
        _, _, found, _ = self.console.expect(STATE, timeout=self.boot_limit)
        self.phone_state = (found[1].decode(), found[2].decode(), found[3] is not None)
        self.console.expect(READY, timeout=10)

    def _switch_off(self):
        self.target.activate(self.console)
        self.target.activate(self.power)
        self.power.off()
        if self.power is not self.console:  # a real board's console can still be read when power is gone
            self.console.forget()
            self.console.note("power off")
        self.status = State.off
        self.phone_state = None
