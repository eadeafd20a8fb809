# SPDX-License-Identifier: MIT
"""A phone on the fake HAL that serves other programs, for tests in a loop of asyncio, on both Pythons.

def test_a_thing():
    async def check(place):
        client = await place.connect()
        assert (await client.ask({"id": 1, "do": "status"}))["ok"]
    served(check)
"""

import asyncio
import json
import os
from binascii import b2a_base64

from hal.files import Files
from tests.helpers.agent.both import temporary_path, vector
from tests.helpers.agent.building import der
from tests.helpers.agent.phone_world import World

SOCKET = "/run/phone/trust.sock"
#: After so many switches of tasks nothing more happens, because the fake's awaitables never wait.
SWITCHES = 150


class Place:
    """world: of the phone, which has booted; service, listener: those that programs connect to."""

    def __init__(self, files=None, user=None, mic=None):
        self.world = World({"ITLFile.tlv": vector("itl-base.tlv")} if files is None else files, mic=mic)
        folder = temporary_path()
        os.mkdir(folder)
        self.world.hal.files = Files(folder)
        self.world.user = user
        self.phone = self.world.make_phone()
        self.world.boot()
        self.service = self.phone.service
        self.listener = self.world.hal.net.listen_local(SOCKET)
        self.task = asyncio.create_task(self.service.run(self.listener))

    async def settle(self):
        """Let all tasks run until nothing more happens."""
        for _ in range(SWITCHES):
            await asyncio.sleep(0)

    async def connect(self, **options):
        """A Client, whose greeting has arrived."""
        client = Client(self, self.listener.connect(**options))
        await self.settle()
        return client


class Client:
    """A program's end of a connection."""

    def __init__(self, place, end):
        self.place = place
        self.end = end
        self._rest = b""

    def lines(self):
        """The lines that have come, each as an object; also the last words before the service closes the connection."""
        data = self._rest + self.end.receive()
        whole, _, self._rest = data.rpartition(b"\n")
        return [json.loads(line) for line in whole.split(b"\n")] if whole else []

    def say(self, data):
        """Send bytes, or an object as a line."""
        self.end.send(data if isinstance(data, bytes) else json.dumps(data).encode() + b"\n")

    async def ask(self, request):
        """One request; its answer."""
        self.lines()
        self.say(request)
        await self.place.settle()
        found = self.lines()
        assert len(found) == 1, found
        return found[0]

    async def works(self):
        """Whether it gets answers."""
        return (await self.ask({"id": 9, "do": "status"}))["ok"] is True

    @property
    def hung_up(self):
        """Whether the service has closed the connection."""
        return self.end.refused


def judge(certificate, purpose="application", number=1):
    """A request; certificate: a vector's name, or bytes."""
    data = certificate if isinstance(certificate, bytes) else der(certificate)
    return {"id": number, "do": "judge", "purpose": purpose, "certificate": b2a_base64(data).decode().strip()}


def served(check, **options):
    """Run check(place) in a loop, and end the service after it."""

    async def main():
        place = Place(**options)
        try:
            await check(place)
        finally:
            place.task.cancel()
            await place.settle()

    asyncio.run(main())
