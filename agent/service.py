# SPDX-License-Identifier: MIT
"""The service for the phone's other programs, on a Unix socket: one JSON object a line, both ways (docs/service.md).

Each client has a bounded input, a bounded output and one request at a time; they take turns. One that sends what is no
request, more than fits, or does not read its answers is told so if it can be, and closed: it harms nobody else."""

import json
from binascii import a2b_base64

from agent import VERSION
from agent.status import status
from agent.trust import PURPOSES

#: The version of what is said here; it changes when a program written for the older one would misunderstand.
PROTOCOL = 1

CLIENTS_LIMIT = 16
LINE_LIMIT = 16384  # bytes of a request; a certificate in base64 has 2 to 4 KB
OUTPUT_LIMIT = 131072  # bytes that wait for a client to read them
_INPUT = 4096  # bytes read at once


class Service:
    """Serves the clients of one phone. phone: agent.main.Phone. listener, poller: of the HAL's net."""

    def __init__(self, phone, listener, poller):
        self._phone = phone
        self._listener = listener
        self._poller = poller
        self._clients = []
        self._buffer = bytearray(_INPUT)
        poller.watch(listener)

    def ready(self, thing, readable, writable):
        """The poller reports a thing of the service's."""
        if thing is self._listener:
            self._accept()
            return
        for client in self._clients:
            if client.stream is thing:
                if writable:
                    self._flush(client)
                if readable and not client.closed:
                    self._read(client)
                return

    def serve_next(self):
        """Answer one request of each client that has a whole one waiting. Returns whether more are waiting."""
        more = False
        for client in list(self._clients):
            line = client.take_line()
            if line is not None and not client.closed:
                self._answer(client, line)
                more = more or client.has_line()
        return more

    def publish(self, event):
        """Tell an event (a dictionary) to the clients that subscribed."""
        for client in list(self._clients):
            if client.subscribed:
                self._send(client, event)

    def close(self):
        """Close everything."""
        for client in list(self._clients):
            self._drop(client)
        self._poller.forget(self._listener)
        self._listener.close()

    def _accept(self):
        stream = self._listener.accept()
        if stream is None:
            return
        client = _Client(stream)
        self._clients.append(client)
        self._poller.watch(stream)
        if len(self._clients) > CLIENTS_LIMIT:
            self._refuse(client, "there are %d clients already" % CLIENTS_LIMIT)
            return
        self._send(client, {"phonetrust": VERSION, "protocol": PROTOCOL})

    def _read(self, client):
        if client.has_line():
            return  # one request at a time: what it sends meanwhile waits in the socket
        try:
            count = client.stream.read_into(self._buffer)
        except OSError:
            count = 0
        if count is None:
            return
        if count == 0:
            self._drop(client)
        elif not client.add(memoryview(self._buffer)[:count]):
            self._refuse(client, "a request has at most %d bytes" % LINE_LIMIT)

    def _answer(self, client, line):
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("do"), str):
            self._refuse(client, 'a request is one JSON object a line, such as {"id": 1, "do": "status"}')
            return
        answer = {"id": request.get("id")}
        try:
            action = _ACTIONS.get(request["do"])
            if action is None:
                raise ValueError("'%s' is none of: %s" % (request["do"][:40], ", ".join(sorted(_ACTIONS))))
            answer.update(action(self, client, request))
            answer["ok"] = True
        except ValueError as error:
            answer["ok"] = False
            answer["error"] = str(error)
        self._send(client, answer)

    # What a client may ask for

    def _status(self, client, request):
        return {"status": status(self._phone.boot)}

    def _judge(self, client, request):
        purpose = request.get("purpose")
        if purpose not in PURPOSES:
            raise ValueError("purpose must be one of: %s" % ", ".join(sorted(PURPOSES)))
        text = request.get("certificate")
        try:
            certificate = a2b_base64(text) if isinstance(text, str) else b""
        except ValueError:
            certificate = b""
        if not certificate:
            raise ValueError("certificate must be the server's certificate, DER in base64")
        return {"decision": self._phone.boot.judge_server(purpose, certificate).as_dict()}

    def _fetch(self, client, request):
        name = request.get("name")
        if not isinstance(name, str):
            raise ValueError("name must be the name of a file on the TFTP server")
        decision, path = self._phone.boot.fetch_file(name)
        return {"decision": decision.as_dict(), "path": path}

    def _subscribe(self, client, request):
        client.subscribed = True
        return {}

    def _unsubscribe(self, client, request):
        client.subscribed = False
        return {}

    # Output

    def _send(self, client, value):
        if client.closed:
            return
        client.output += json.dumps(value).encode() + b"\n"
        if len(client.output) > OUTPUT_LIMIT:
            self._drop(client)
        else:
            self._flush(client)

    def _flush(self, client):
        try:
            while client.output:
                taken = client.stream.write(client.output)
                if taken == 0:
                    break
                client.output = client.output[taken:]
        except OSError:
            self._drop(client)
            return
        self._poller.watch(client.stream, writing=bool(client.output))

    def _refuse(self, client, why):
        """Say why, as far as the client reads it, and close."""
        self._send(client, {"ok": False, "error": why})
        self._drop(client)

    def _drop(self, client):
        if not client.closed:
            client.closed = True
            self._clients.remove(client)
            self._poller.forget(client.stream)
            client.stream.close()


_ACTIONS = {
    "status": Service._status,
    "judge": Service._judge,
    "fetch": Service._fetch,
    "subscribe": Service._subscribe,
    "unsubscribe": Service._unsubscribe,
}


class _Client:
    """One program: what it sent and is not answered yet, what it has not read yet."""

    def __init__(self, stream):
        self.stream = stream
        self.output = b""
        self.subscribed = False
        self.closed = False
        self._input = b""

    def add(self, block):
        """Take what it sent; False where a request grows over the limit."""
        self._input += bytes(block)
        return self.has_line() or len(self._input) <= LINE_LIMIT

    def has_line(self):
        """Whether a whole request waits."""
        return b"\n" in self._input

    def take_line(self):
        """The next whole request, or None."""
        end = self._input.find(b"\n")
        if end < 0:
            return None
        line = self._input[:end]
        self._input = self._input[end + 1 :]
        return line
