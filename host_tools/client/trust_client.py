# SPDX-License-Identifier: MIT
"""A program's connection to the trust agent of its phone: may it talk to this TLS server, may it believe this file?

    with TrustClient("/run/phone/trust.sock") as agent:
        decision = agent.judge("application", stream.getpeercert(binary_form=True))
        if not decision.accepted:
            raise SystemExit(decision.text)

docs/service.md describes the messages on the socket. Fail closed: whatever goes wrong is an AgentError, never a yes. After
AgentGone and Unsupported the connection is closed; make a new TrustClient. Two threads must not use one client at once."""

import base64
import dataclasses
import json
import socket
import struct
import time

SOCKET = "/run/phone/trust.sock"
PROTOCOL = 1
LONGEST_LINE = 1 << 20  # bytes; the agent's own limit is 128 KiB


class AgentError(Exception):
    """No reliable answer: treat it as a no. str() is one sentence."""


class AgentGone(AgentError):
    """The agent does not listen, ended the connection, or did not answer in time."""


class Unsupported(AgentError):
    """The other end speaks another version of the service, or something else."""


class RequestRefused(AgentError):
    """The agent does not do this; its own words say why. The connection stays."""


@dataclasses.dataclass(frozen=True)
class Decision:
    """What the agent decided. accepted: True only where the outcome was the word "accepted". reason: a code of
    docs/reasons.md. kind: the purpose or the file. text: one sentence for people."""

    accepted: bool
    reason: str
    kind: str
    text: str
    evidence: dict
    warnings: list

    @classmethod
    def read(cls, value):
        """From JSON. Raises Unsupported."""
        try:
            texts = [value[key] for key in ("outcome", "reason", "kind", "text")]
            if not all(isinstance(text, str) for text in texts):
                raise Unsupported("the agent's decision has something else than texts")
            outcome, reason, kind, text = texts
            return cls(outcome == "accepted", reason, kind, text, dict(value["evidence"]), list(value["warnings"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Unsupported("the agent's decision cannot be read") from error


@dataclasses.dataclass(frozen=True)
class Certificate:
    """One of the phone's own certificates. key: "lsc" or "mic". der: the certificate, None where the phone has none.
    sha256: digest of the certificate, hexadecimal; sign() takes it."""

    key: str
    der: bytes | None
    sha256: str | None


class TrustClient:
    """A connection to the agent that listens at `path`. timeout: seconds for one answer; 30 leave it time to ask TVS, a
    large file may need more. AgentGone, Unsupported."""

    def __init__(self, path=SOCKET, timeout=30.0):
        self.path = str(path)
        self._timeout = timeout
        self._sequence = 0
        self._received = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            deadline = time.monotonic() + timeout
            # Where the agent's queue of connections is full, only a blocking connect() waits; this is its timeout.
            wait = struct.pack("ll", int(timeout), int(timeout % 1 * 1_000_000) or 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)
            try:
                self._socket.connect(self.path)
            except BlockingIOError as error:
                raise AgentGone("the trust agent did not answer in time") from error
            except OSError as error:
                raise AgentGone(f"the trust agent does not listen at {self.path}: {error.strerror or error}") from error
            greeting = self._line(deadline)
            #: The agent's version, as text.
            self.version = str(greeting.get("phonetrust"))
            if greeting.get("protocol") != PROTOCOL or isinstance(greeting.get("protocol"), bool):
                said = greeting.get("error") or f"it speaks protocol {greeting.get('protocol')!r}, this is {PROTOCOL}"
                raise Unsupported(f"{self.path} is not an agent that this program understands: {said}")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        """End the connection; the agent then removes the files that it fetched. May be called twice."""
        self._socket.close()

    def status(self):
        """What is installed, mode, last decisions: the dictionary of docs/service.md."""
        return self._part(self._ask("status"), "status")

    def judge(self, purpose, certificate):
        """May the program talk to a TLS server with this certificate (DER) for this purpose (one of PURPOSES)? A Decision.

        Ask after the handshake, which proves that the server has the key, and before you send the first byte."""
        if not certificate:
            raise ValueError("the server showed no certificate")
        text = base64.b64encode(certificate).decode("ascii")
        return Decision.read(self._part(self._ask("judge", purpose=purpose, certificate=text), "decision"))

    def fetch(self, name):
        """Let the agent fetch and verify a file: (Decision, path of its content or None). Open or copy it while this
        connection is open, and before it fetches four more."""
        answer = self._ask("fetch", name=name)
        decision = Decision.read(self._part(answer, "decision"))
        path = answer.get("path")
        if not decision.accepted:
            return decision, None
        if not isinstance(path, str) or not path:
            self._fail("the agent accepted a file and does not say where it is")
        return decision, path

    def certificate(self, key=None):
        """The phone's own Certificate: "lsc", "mic", or the one that servers are shown (the LSC, else the MIC)."""
        answer = self._ask("certificate", **({} if key is None else {"key": key}))
        name, text, sha256 = answer.get("key"), answer.get("certificate"), answer.get("sha256")
        if text is None and isinstance(name, str):
            return Certificate(name, None, None)
        if not isinstance(name, str) or not isinstance(sha256, str):
            self._fail("the agent's answer has no certificate")
        return Certificate(name, self._bytes(text), sha256)

    def sign(self, scheme, digest, value, key="lsc", certificate=None):
        """A signature for a TLS handshake by a key of the phone, which stays with the agent.

        scheme: "rsa-pkcs1", "rsa-pss", "ecdsa" (DER). digest: "sha256", "sha384", "sha512"; value: the digest, bytes.
        certificate: sha256 of the certificate that the signature must fit. RequestRefused: the phone has no such key (any
        more), this program is not of the agent's group, or it asked too often in this minute."""
        arguments = {"key": key, "scheme": scheme, "digest": digest, "data": base64.b64encode(value).decode("ascii")}
        if certificate is not None:
            arguments["certificate"] = certificate
        return self._bytes(self._ask("sign", **arguments).get("signature"))

    def subscribe(self):
        """Ask for events -> what is trusted now. From then on the connection is only for event()."""
        return self._part(self._ask("subscribe"), "trust")

    def event(self, timeout=None):
        """The next event, ("decision", Decision) or ("trust", dictionary); None after `timeout` seconds (None: no limit)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                line = self._line(deadline, keep=True)
            except _TimeIsUp:
                return None
            if line.get("event") == "decision":
                return "decision", Decision.read(self._part(line, "decision"))
            if line.get("event") == "trust":
                return "trust", self._part(line, "trust")

    def _ask(self, what, **arguments):
        self._sequence += 1
        request = json.dumps({"id": self._sequence, "do": what, **arguments}).encode() + b"\n"
        deadline = time.monotonic() + self._timeout
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(request)
        except OSError as error:
            self.close()
            raise AgentGone(f"the trust agent is gone: {error.strerror or error}") from error
        answer = self._line(deadline)
        if answer.get("id") != self._sequence or not isinstance(answer.get("ok"), bool):
            self._fail(str(answer.get("error") or "the agent answered another question"))
        if not answer["ok"]:
            raise RequestRefused(str(answer.get("error")))
        return answer

    def _line(self, deadline, keep=False):
        """The next line as a dictionary. With `keep`, the connection stays when the time is up (_TimeIsUp)."""
        while b"\n" not in self._received:
            if len(self._received) > LONGEST_LINE:
                self._fail("the agent's line does not end")
            try:
                block = self._receive(deadline)
            except TimeoutError as error:
                if keep:
                    raise _TimeIsUp from error
                self.close()
                raise AgentGone("the trust agent did not answer in time") from error
            except OSError as error:
                self.close()
                raise AgentGone(f"the trust agent is gone: {error.strerror or error}") from error
            if not block:
                self.close()
                raise AgentGone("the trust agent ended the connection")
            self._received += block
        line, _, self._received = self._received.partition(b"\n")
        try:
            found = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self._fail("the agent's line is no JSON object")
        return found

    def _receive(self, deadline):
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv(65536)

    def _part(self, answer, name):
        part = answer.get(name)
        if not isinstance(part, dict):
            self._fail(f"the agent's answer has no {name}")
        return part

    def _bytes(self, text):
        try:
            found = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
        except ValueError:
            found = b""
        if not found:
            self._fail("the agent's answer has something else than base64")
        return found

    def _fail(self, text):
        self.close()
        raise Unsupported(text)


class _TimeIsUp(Exception):
    """No event within the time."""
