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


def test_without_programs_there_is_no_waiting():
    assert restarted(subscribed=False) == 0


def test_programs_have_a_moment_to_ask():
    assert restarted() == GRACE


def test_a_program_that_asked_is_waited_for_until_it_goes():
    assert restarted(wishes={1000: 60000}) == 60000
    assert restarted(wishes={1000: 60000, 20000: 0}) == 20000, "its connection has ended"
    assert restarted(wishes={1000: 5000, 4000: 30000}) == 30000, "it asked again"


def test_no_program_gets_more_than_ten_minutes():
    assert LONGEST == 600000
    assert restarted(wishes={1000: 900000}) == LONGEST


def test_a_program_postpones_a_restart_that_was_announced():
    from tests.helpers.agent.service_place import served

    async def check(place):
        client = await place.connect()
        refused = await client.ask({"id": 1, "do": "postpone", "seconds": 60})
        assert not refused["ok"] and refused["error"] == "no restart has been announced"
        clock = place.world.hal.clock
        assert place.phone.service.announce_restart("NAME", clock.monotonic() + LONGEST) is False, "nobody listens"
        await client.ask({"id": 2, "do": "subscribe"})
        assert place.phone.service.announce_restart("NAME", clock.monotonic() + LONGEST) is True
        await place.settle()
        assert client.lines()[-1] == {"event": "restart", "load": "NAME", "postponable": 600}
        begun = clock.monotonic()
        assert (await client.ask({"id": 3, "do": "postpone", "seconds": 60}))["seconds"] == 60
        assert place.phone.service.restart_wanted_after() == begun + 60000
        clock.now += 590000
        assert (await client.ask({"id": 4, "do": "postpone", "seconds": 600}))["seconds"] == 10, "ten minutes for all"
        for seconds in (-1, 601, "1", True, None):
            answer = await client.ask({"id": 5, "do": "postpone", "seconds": seconds})
            assert not answer["ok"] and "from 0 to 600" in answer["error"], seconds

    served(check)


class Restless:
    """A clock whose sleeps are the moments at which programs act: act(ms since the start), a coroutine."""

    def __init__(self, clock, act):
        self.clock = clock
        self.begun = clock.monotonic()
        self.act = act
        self.monotonic = clock.monotonic

    async def sleep(self, duration):
        self.clock.now += duration
        await self.act(self.clock.now - self.begun)


def test_programs_that_ask_again_and_come_back_share_the_same_ten_minutes():
    """Two programs take turns: each asks for ten minutes, hangs up, connects anew and asks once more, until the restart."""
    from tests.helpers.agent.service_place import served

    async def check(place):
        answers, clients, ended = [], [await place.connect(), await place.connect()], []
        for client in clients:
            await client.ask({"id": 1, "do": "subscribe"})

        async def act(passed):
            if passed % 50000 and passed != 250:
                return
            turn = len(answers) % 2
            clients[turn].end.close()
            await place.settle()
            clients[turn] = await place.connect()
            await clients[turn].ask({"id": 2, "do": "subscribe"})
            answer = await clients[turn].ask({"id": 3, "do": "postpone", "seconds": 600})
            answers.append((passed, answer["seconds"]))

        clock = Restless(place.world.hal.clock, act)
        restarter = Restarter(
            place.service, lambda: ended.append(clock.monotonic() - clock.begun), clock, lambda line: None
        )
        await restarter.restart("NAME")
        assert ended == [LONGEST] and len(answers) > 10
        assert all(seconds == (LONGEST - passed) // 1000 for passed, seconds in answers), answers

    served(check)


def test_a_program_that_goes_takes_its_wish_along_and_no_other():
    from tests.helpers.agent.service_place import served

    async def check(place):
        clients, ended = [await place.connect(), await place.connect()], []
        for client in clients:
            await client.ask({"id": 1, "do": "subscribe"})

        async def act(passed):
            if passed == 250:
                await place.settle()
                for client, seconds in zip(clients, (500, 40)):
                    assert (await client.ask({"id": 2, "do": "postpone", "seconds": seconds}))["seconds"] == seconds
            elif passed == 20000:
                clients[0].end.close()
                await place.settle()

        clock = Restless(place.world.hal.clock, act)
        await Restarter(
            place.service, lambda: ended.append(clock.monotonic() - clock.begun), clock, lambda line: None
        ).restart("NAME")
        assert ended == [40250], "the other one asked for 40 s at 250 ms"

    served(check)
