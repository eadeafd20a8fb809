# SPDX-License-Identifier: MIT
"""Small agents that the C client is tested against, and a reader of its test program's output."""

import contextlib
import json
import socket
import threading

from tests.helpers.native.library import ROOT

CLIENT = ROOT / "build" / "native" / "client"
VARIANTS = {
    "plain": ["{client}/scripted"],
    "valgrind": ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full", "{client}/scripted"],
    "sanitize": ["{client}/scripted-sanitize"],
}
CONNECT, CLOSED, TIMEOUT, PROTOCOL, SPACE, REFUSED = -1, -2, -3, -4, -5, -6
HELLO = b'{"phonetrust": "0.1.0", "protocol": 1}\n'
LONG = 8000  # ms that no test waits for


class Agent:
    """Listens, and serves each connection by the next of `scripts`: functions of the connection. Ends with the test."""

    def __init__(self, path, *scripts):
        self.path = str(path)
        self.heard = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(4)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(scripts,), daemon=True)
        self._thread.start()

    def _serve(self, scripts):
        for script in scripts:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as self.lines, contextlib.suppress(OSError):
                script(self, connection)

    def request(self):
        """The client's next request."""
        line = self.lines.readline()
        self.heard.append(json.loads(line) if line else None)
        return self.heard[-1]

    def wait(self):
        """Stay silent until the client has gone or the test is over."""
        with contextlib.suppress(OSError):
            self.lines.read()

    def close(self):
        self._listener.close()


def says(*parts, then=None):
    """A script: greet, then one of `parts` after each request; bytes unchanged, a dictionary as an answer to the request."""

    def script(agent, connection):
        connection.sendall(HELLO)
        for part in parts:
            request = agent.request()
            if request is None:
                return
            if isinstance(part, dict):
                part = json.dumps({"id": request["id"], "ok": True, **part}).encode() + b"\n"
            elif callable(part):
                part = part(request)
            connection.sendall(part)
        if then is not None:
            then(agent, connection)
        agent.wait()

    return script


def parse(line):
    name, result, *rest = line.split(" ")
    values = dict(part.split("=") for part in rest)
    for key, value in values.items():
        if key in ("certificate", "signature"):
            values[key] = bytes.fromhex(value)
        else:
            values[key] = int(value) if key in ("accepted", "event") else bytes.fromhex(value).decode("utf-8")
    return name, int(result), values


DECISION = {"outcome": "accepted", "reason": "listed-in-itl", "kind": "application", "text": "It is listed."}
NOTHING = {"accepted": 0, "reason": "", "kind": "", "text": ""}


def decided(**changes):
    return {"decision": {**DECISION, "evidence": {}, "warnings": [], **changes}}


def judged(results):
    """The one judgement after the opening."""
    assert results[0] == ("open", 0, {}) and len(results) == 2, results
    return results[1][1:]
