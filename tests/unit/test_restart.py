# SPDX-License-Identifier: MIT
"""The restart into a new load: programs are told and may ask for time, at most ten minutes from then."""

from agent.local.restart import GRACE, LONGEST, Restarter
from hal.fake import FakeClock
from tests.helpers.agent.both import run


class Service:
    """What a Restarter asks of the service. wishes: {ms after the announcement: until when (ms) clients want to wait}."""

    def __init__(self, clock, subscribed=True, wishes=None):
        self.clock = clock
        self.begun = clock.monotonic()
        self.subscribed = subscribed
        self.wishes = wishes or {}
        self.told = []

    def announce_restart(self, load, limit):
        self.told.append((load, limit - self.begun))
        return self.subscribed

    def restart_wanted_after(self):
        found = 0
        for time in self.wishes:
            if self.clock.monotonic() - self.begun >= time:
                found = self.wishes[time]
        return self.begun + found if found else 0


def restarted(**options):
    """ms from the wish to the restart."""
    clock = FakeClock()
    service = Service(clock, **options)
    ended = []
    run(Restarter(service, lambda: ended.append(clock.monotonic()), clock, lambda line: None).restart("NAME"))
    assert service.told == [("NAME", LONGEST)] and len(ended) == 1
    return ended[0] - service.begun


def test_nobody_there_no_waiting():
    assert restarted(subscribed=False) == 0


def test_programs_have_a_moment_to_ask():
    assert restarted() == GRACE


def test_a_program_that_asked_is_waited_for_until_it_goes():
    assert restarted(wishes={1000: 60000}) == 60000
    assert restarted(wishes={1000: 60000, 20000: 0}) == 20000, "its connection has ended"
    assert restarted(wishes={1000: 5000, 4000: 30000}) == 30000, "it asked again"


def test_nobody_gets_more_than_ten_minutes():
    assert LONGEST == 600000
    assert restarted(wishes={1000: 900000}) == LONGEST
