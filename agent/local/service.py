# SPDX-License-Identifier: MIT
"""The service for the phone's other programs, on a Unix socket: one JSON object a line, both ways (docs/service.md).

A program that misbehaves cannot harm another program:
1. each client has its own tasks and one request at a time, so a silent server delays only the client that asked;
2. a client that sends nonsense or too much, or does not read its answers, is disconnected, after an error if possible;
3. the number of connections is limited for each process and each user, and some are reserved for the phone's own programs;
4. when a client disconnects, the work for it ends;
5. an error in a request ends that request, never the agent."""

import asyncio
from binascii import a2b_base64

from agent import VERSION
from agent.formats.text import shown
from agent.local import requests
from agent.local.client import Client
from agent.trust.rules import PURPOSES

#: The version of this service. It changes when a program that was written for the older version would misunderstand it.
PROTOCOL = 1

CLIENTS_LIMIT = 16
OWN_SLOTS = 4  # of these, only for the phone's own user and root
USER_LIMIT = 8  # connections of one other user
PROGRAM_LIMIT = 4  # connections of one process
FILES_LIMIT = 4  # files that arrive at once, for all programs
ROOT = 0


class Service:
    """Serves all clients. programs: agent.local.programs.Programs. keys: agent.local.keys.Keys. view: agent.local.status.View.
    files, clock: of the HAL. log(line): called when a request ended in a fault. user: the number of the user as which the
    agent runs, None if the system has none. The attribute `serving` says whether clients are accepted."""

    def __init__(self, programs, keys, view, files, clock, log, user=None):
        self._programs = programs
        self._keys = keys
        self._view = view
        self._files = files
        self._clock = clock
        self._log = log
        self._user = user
        self._clients = []
        self._accepted = 0
        self._arriving = 0
        self._trust = None  # the trust of which subscribers were told last
        self._restart_limit = None  # ms of the clock; an announced restart waits no longer than that
        self.serving = False

    async def run(self, listener):
        """Accept clients of the HAL's `listener` until the task is cancelled; then close all connections."""
        self.serving = True
        try:
            while True:
                try:
                    stream = await listener.accept()
                except OSError:
                    await self._clock.sleep(100)  # the client has disconnected, or the process has no descriptors left
                    continue
                self._accepted += 1
                client = Client(stream, self._accepted, self._act, self._clock)
                asyncio.create_task(self._serve(client))
        finally:
            self.serving = False
            for client in list(self._clients):
                client.end()
            listener.close()

    async def _serve(self, client):
        refusal = self._refusal(client.stream)
        if refusal is None:
            self._clients.append(client)
        try:
            await client.run({"phonetrust": VERSION, "protocol": PROTOCOL}, refusal)
        except Exception as error:  # a fault of this program ends only this client
            self._log("a request of process %d ended in a fault: %r" % (client.stream.process, error))
        finally:
            if refusal is None:
                self._clients.remove(client)
            if self._files is not None:
                self._files.release(client.number)

    def _refusal(self, stream):
        """The requests.Busy that says why this client is not served, or None."""
        if self._count(lambda other: other.process == stream.process) >= PROGRAM_LIMIT:
            return requests.Busy("one program may have %d connections" % PROGRAM_LIMIT)
        own = self._is_own(stream)
        if not own and self._count(lambda other: other.user == stream.user) >= USER_LIMIT:
            return requests.Busy("one user may have %d connections" % USER_LIMIT)
        if not own and self._count(lambda other: not self._is_own(other)) >= CLIENTS_LIMIT - OWN_SLOTS:
            return requests.Busy("there are %d clients already" % (CLIENTS_LIMIT - OWN_SLOTS))
        if len(self._clients) >= CLIENTS_LIMIT:
            return requests.Busy("there are %d clients already" % CLIENTS_LIMIT)
        return None

    def _is_own(self, stream):
        return stream.user == ROOT or stream.user == self._user

    def _count(self, fits):
        return len([client for client in self._clients if fits(client.stream)])

    # Events

    def publish(self, decision):
        """Tell subscribers of a decision, and of the trust if it changed."""
        if not any([client.subscribed for client in self._clients]):
            return
        self._tell({"event": "decision", "decision": decision.as_dict()})
        found = self._view.trusted()
        if found != self._trust:
            self._trust = found
            self._tell({"event": "trust", "trust": found})

    def announce_restart(self, load, limit):
        """Tell subscribers that the phone soon restarts into `load`. They may postpone that until `limit` (ms of the clock).
        Returns whether there are any subscribers."""
        if not any([client.subscribed for client in self._clients]):
            return False
        self._restart_limit = limit
        seconds = (limit - self._clock.monotonic()) // 1000
        self._tell({"event": "restart", "load": load, "postponable": seconds})
        return True

    def restart_wanted_after(self):
        """The time (ms of the clock) until which the connected clients asked the phone to wait; 0 if none did."""
        return max([0] + [client.postponed_until for client in self._clients])

    def _tell(self, event):
        for client in list(self._clients):
            if client.subscribed and not client.tell(event):
                client.end()

    # What a client may ask for

    async def _act(self, client, request):
        action = _ACTIONS.get(request["do"])
        if action is None:
            raise ValueError("'%s' is not one of: %s" % (shown(request["do"], 40), ", ".join(sorted(_ACTIONS))))
        return await action(self, client, request)

    async def _status(self, client, request):
        return {"status": self._view.status()}

    async def _judge(self, client, request):
        purpose = request.get("purpose")
        if not isinstance(purpose, str) or purpose not in PURPOSES:
            raise ValueError("purpose must be one of: %s" % ", ".join(sorted(PURPOSES)))
        text = request.get("certificate")
        try:
            certificate = a2b_base64(text) if isinstance(text, str) else b""
        except ValueError:
            certificate = b""
        if not certificate:
            raise ValueError("certificate must be the server's certificate, DER in base64")
        return {"decision": (await self._programs.judge(purpose, certificate)).as_dict()}

    async def _fetch(self, client, request):
        name = requests.file_name(request)
        if self._arriving >= FILES_LIMIT:
            raise requests.Busy("%d files are arriving for other programs; ask again" % FILES_LIMIT)
        self._arriving += 1
        try:
            decision, path = await self._programs.fetch(name, client.number)
        finally:
            self._arriving -= 1
        return {"decision": decision.as_dict(), "path": path}

    async def _certificate(self, client, request):
        return self._keys.certificate(request)

    async def _sign(self, client, request):
        return self._keys.sign(client.stream, request)

    async def _subscribe(self, client, request):
        client.subscribed = True
        self._trust = self._view.trusted()
        return {"trust": self._trust}

    async def _postpone(self, client, request):
        seconds = request.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= 600:
            raise ValueError("seconds must be a whole number from 0 to 600")
        if self._restart_limit is None:
            raise ValueError("no restart has been announced")
        client.postponed_until = min(self._clock.monotonic() + seconds * 1000, self._restart_limit)
        return {"seconds": max(0, client.postponed_until - self._clock.monotonic()) // 1000}

    async def _unsubscribe(self, client, request):
        client.subscribed = False
        return {}


_ACTIONS = {
    "status": Service._status,
    "judge": Service._judge,
    "fetch": Service._fetch,
    "certificate": Service._certificate,
    "sign": Service._sign,
    "subscribe": Service._subscribe,
    "postpone": Service._postpone,
    "unsubscribe": Service._unsubscribe,
}
