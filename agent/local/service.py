# SPDX-License-Identifier: MIT
"""The service for the phone's other programs, on a Unix socket: one JSON object a line, both ways (docs/service.md).

What keeps a program that misbehaves from harming others:
1. each client has a bounded input, a bounded output and one request at a time; they take turns;
2. one that sends what is no request, more than fits, or does not read its answers is told so if it can be, and closed;
3. one program has at most PROGRAM_LIMIT connections, so that others find one free, and files of its own;
4. while a file arrives for one, the others are answered; where the one goes away meanwhile, the transfer ends;
5. whatever goes wrong with one request ends that request, never the agent."""

import json
from binascii import a2b_base64

from agent import VERSION
from agent.local.json_pieces import pieces
from agent.local.programs import Abandoned
from agent.local.status import status, trusted
from agent.trust.rules import PURPOSES

#: The version of what is said here; it changes when a program written for the older one would misunderstand.
PROTOCOL = 1

CLIENTS_LIMIT = 16
PROGRAM_LIMIT = 4  # connections of one process
LINE_LIMIT = 16384  # bytes of a request; a certificate in base64 has 2 to 4 KB
OUTPUT_PIECE = 2048  # bytes that are put together before they are handed to the client's socket
OUTPUT_LIMIT = 131072  # bytes of several lines that wait for a client to read them
NAME_LIMIT = 250  # bytes of a file's name
IDENTIFIER_LIMIT = 64  # characters of an id
_INPUT = 4096  # bytes read at once


class Service:
    """Serves the clients of one phone. phone: agent.main.Phone. listener, poller: of the HAL's net."""

    def __init__(self, phone, listener, poller):
        self._phone = phone
        self._listener = listener
        self._poller = poller
        self._clients = []
        self._accepted = 0
        self._busy = None  # the client that a file arrives for
        self._trust = None  # as subscribers were told
        self._seen = ()  # the objects that it was read from
        self._buffer = bytearray(_INPUT)
        poller.watch(listener)

    def ready(self, thing, readable, writable):
        """The poller reports a thing, maybe of the service's."""
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
        """Answer one request of each client that has a whole one waiting. Returns whether more are waiting.

        Then tell subscribers if another trust is installed than they know of."""
        more = False
        for client in list(self._clients):
            if client.closed or client is self._busy:
                continue
            request = self._next_request(client)
            if request is not None:
                self._answer(client, request)
                more = more or client.has_request()
        self._publish_trust()
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

    # Clients and what they send

    def _accept(self):
        try:
            stream = self._listener.accept()
        except OSError:
            return  # it has gone before it was its turn
        if stream is None:
            return
        self._accepted += 1
        client = _Client(stream, self._accepted)
        for other in self._of_program(stream.process):
            self._read(other)  # one that has ended counts no more
        of_program = len(self._of_program(stream.process))
        count = len(self._clients)
        self._clients.append(client)
        self._poller.watch(stream)
        if of_program >= PROGRAM_LIMIT:
            self._refuse(client, "one program may have %d connections" % PROGRAM_LIMIT)
        elif count >= CLIENTS_LIMIT:
            self._refuse(client, "there are %d clients already" % CLIENTS_LIMIT)
        else:
            self._send(client, {"phonetrust": VERSION, "protocol": PROTOCOL})

    def _of_program(self, process):
        return [client for client in self._clients if client.stream.process == process]

    def _read(self, client):
        if client.has_line() and client is not self._busy:
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

    def _next_request(self, client):
        """The client's next request, None where there is none or it has to wait. One that is none ends the client."""
        request = client.waiting
        client.waiting = None
        if request is None:
            line = client.take_line()
            if line is None:
                return None
            try:
                request = _parse(line)
            except ValueError as error:
                self._refuse(client, str(error))
                return None
        if self._busy is not None and request["do"] == "fetch":
            client.waiting = request  # one file at a time
            return None
        return request

    def _answer(self, client, request):
        answer = {"id": request.get("id")}
        try:
            action = _ACTIONS.get(request["do"])
            if action is None:
                raise ValueError("'%s' is none of: %s" % (request["do"][:40], ", ".join(sorted(_ACTIONS))))
            answer.update(action(self, client, request))
            answer["ok"] = True
        except Abandoned:
            return
        except (ValueError, MemoryError, OSError) as error:
            answer["ok"] = False
            answer["error"] = str(error) or "this phone has no memory for it"
        self._send(client, answer)

    # What a client may ask for

    def _status(self, client, request):
        return {"status": status(self._phone.boot)}

    def _judge(self, client, request):
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
        return {"decision": self._phone.boot.requests.judge(purpose, certificate).as_dict()}

    def _fetch(self, client, request):
        name = request.get("name")
        if not isinstance(name, str) or not 0 < len(name.encode()) <= NAME_LIMIT or not _is_plain(name):
            raise ValueError("name must be a file's name on the server, at most %d bytes" % NAME_LIMIT)
        self._busy = client
        try:
            decision, path = self._phone.boot.requests.fetch(name, client.number, self._turn)
        finally:
            self._busy = None
        if client.closed:
            self._phone.hal.files.release(client.number)
            raise Abandoned("the program has gone")
        return {"decision": decision.as_dict(), "path": path}

    def _turn(self):
        """While a file arrives: everybody else gets answers. Raises Abandoned where nobody waits for it any more."""
        for thing, readable, writable in self._poller.wait(0):
            self.ready(thing, readable, writable)
        self.serve_next()
        self._phone.hal.board.watchdog()
        if self._busy.closed:
            raise Abandoned("the program has gone")

    def _subscribe(self, client, request):
        self._publish_trust()  # to those who subscribed before
        client.subscribed = True
        self._trust = trusted(self._phone.boot)
        return {"trust": self._trust}

    def _unsubscribe(self, client, request):
        client.subscribed = False
        return {}

    def _publish_trust(self):
        if not any([client.subscribed for client in self._clients]):
            return
        boot = self._phone.boot
        objects = (boot.trust, boot.trust.ctl, boot.trust.itl, boot.configuration_name)
        if len(self._seen) == len(objects) and all([one is other for one, other in zip(objects, self._seen)]):
            return  # it is read only where it can have changed: that takes a while on a board
        self._seen = objects
        found = trusted(boot)
        if found != self._trust:
            self._trust = found
            self.publish({"event": "trust", "trust": found})

    # Output

    def _send(self, client, value):
        if client.closed:
            return
        try:
            for piece in pieces(value):
                client.output += piece.encode()
                if len(client.output) > OUTPUT_PIECE:
                    self._flush(client)
                if client.closed:
                    return
            client.output += b"\n"
        except MemoryError:
            self._drop(client)  # it asks again; the phone has other things to do
        if len(client.output) > OUTPUT_LIMIT:
            self._drop(client)
        elif not client.closed:
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
            client.subscribed = False
            self._clients.remove(client)
            self._poller.forget(client.stream)
            client.stream.close()
            if self._phone.hal.files is not None:
                self._phone.hal.files.release(client.number)


_ACTIONS = {
    "status": Service._status,
    "judge": Service._judge,
    "fetch": Service._fetch,
    "subscribe": Service._subscribe,
    "unsubscribe": Service._unsubscribe,
}

_SHAPE = 'a request is one JSON object a line, in UTF-8, such as {"id": 1, "do": "status"}'


def _parse(line):
    """A line as a request. ValueError says what is wrong."""
    if len(line) > LINE_LIMIT:
        raise ValueError("a request has at most %d bytes" % LINE_LIMIT)
    try:
        request = json.loads(str(line, "utf-8"))
    except (ValueError, RuntimeError, MemoryError):  # RuntimeError: nested too deeply
        request = None
    if not isinstance(request, dict) or not isinstance(request.get("do"), str):
        raise ValueError(_SHAPE)
    identifier = request.get("id")
    if isinstance(identifier, str):
        good = len(identifier) <= IDENTIFIER_LIMIT and _is_plain(identifier)
    else:
        good = identifier is None or isinstance(identifier, int) and abs(identifier) < 1 << 53
    if not good:
        raise ValueError(
            "an id is a whole number below 2 to the power of 53, or text of up to %d characters" % IDENTIFIER_LIMIT
        )
    return request


def _is_plain(text):
    """No control characters, and no halves of characters (JSON can write them)."""
    return all(
        [not (ord(letter) < 32 or 127 <= ord(letter) < 160 or 0xD800 <= ord(letter) < 0xE000) for letter in text]
    )


class _Client:
    """One program: what it sent and is not answered yet, what it has not read yet. number: of the connection."""

    def __init__(self, stream, number):
        self.stream = stream
        self.number = number
        self.output = b""
        self.subscribed = False
        self.closed = False
        self.waiting = None  # a request that cannot be answered yet
        self._input = b""

    def add(self, block):
        """Take what it sent; False where that grows over the limit."""
        self._input += bytes(block)
        end = self._input.find(b"\n")
        return (len(self._input) if end < 0 else end) <= LINE_LIMIT and len(self._input) <= 2 * LINE_LIMIT

    def has_line(self):
        """Whether a whole request waits."""
        return b"\n" in self._input

    def has_request(self):
        """Whether there is something to answer."""
        return self.waiting is not None or self.has_line()

    def take_line(self):
        """The next whole request, or None."""
        end = self._input.find(b"\n")
        if end < 0:
            return None
        line = self._input[:end]
        self._input = self._input[end + 1 :]
        return line
