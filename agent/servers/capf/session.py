# SPDX-License-Identifier: MIT
"""One CAPF session, from the server's first message to its end (docs/spec/capf.md). agent/servers/capf/client.py connects.

A session keeps these rules, in this order:
1. the phone makes the key and gives it only to `store`, together with the LSC that fits it: one call, so one write
   (C8, C9). Before that call nothing has changed. STORE_RES is sent only after the call has succeeded;
2. an LSC is refused if its public key is not the key that was made in this session;
3. the server can hold the phone only for a bounded time: `timeout` for each message, SESSION_LIMIT for all of them,
   MESSAGES_LIMIT messages, and one key.

Every way in which a session can end has an outcome of its own; see Result.
"""

from agent.servers.capf import message
from agent.servers.capf.proof import proofs
from agent.servers.messages import Closed, MessageError, read_message
from agent.servers.network import failure_text

#: The longest message that is read, header included (bytes). The largest messages hold a certificate.
MESSAGE_LIMIT = 8192
#: How many messages of a server are read in one session. The installation of a certificate takes four.
MESSAGES_LIMIT = 16
#: The longest time (ms) for one session after its connection, without the time in which the phone makes its key.
SESSION_LIMIT = 120000
#: The sizes (bits) of RSA keys that are made; 512 is too weak.
RSA_SIZES = (1024, 2048, 3072, 4096)


class Credentials:
    """The means by which the phone can authenticate itself.

    mode: one of agent.servers.capf.message.AUTH_*, from capfAuthMode in the configuration (0 counts as AUTH_NONE). If the
    server asks for another kind, the phone uses that kind. string: the authentication string that a person typed, or None.
    lsc, mic: (certificate DER, private key DER), or None if the phone has no such certificate.
    """

    def __init__(self, mode=message.AUTH_NONE, string=None, lsc=None, mic=None):
        self.mode = mode
        self.string = string
        self.lsc = lsc
        self.mic = mic


class Result:
    """How a session ended. text: a sentence for an administrator.

    outcome, if the phone did what the server asked for: "installed" (`.certificate` is the new LSC, which is stored with its
    key), "deleted", "fetched" (the server got the LSC), "no-certificate" (there was no LSC to delete or to send),
    "no-action" (the server asked for nothing).
    outcome, if it did not: "retry-later" (`.retry_delay`: seconds, or None if the server did not say), "string-needed",
    "wrong-string", "certificate-needed" (the server wants an LSC or a MIC, and the phone has neither), "unknown-device",
    "refused" (the server refused, or the phone cannot do what it asked for), "not-stored" (writing to flash failed),
    "interrupted" (the server fell silent, hung up or sent nonsense within the session), "unreachable" (no server said
    anything), "untrusted" (`.decision` says why).

    decision: the Decision about the server, or None. server: (host, port) of the server, or None if no server is known.
    """

    server = None

    def __init__(self, outcome, text, certificate=None, retry_delay=None, decision=None):
        self.outcome = outcome
        self.text = text
        self.certificate = certificate
        self.retry_delay = retry_delay
        self.decision = decision


class _Ended(Exception):
    """Ends the session with a Result."""

    def __init__(self, outcome, text, **more):
        super().__init__(text)
        self.result = Result(outcome, text, **more)


class Session:
    """A session on a connection to a trusted server: its number, the key that waits for its LSC, and what was done so far.

    timeout: ms for each message of the server. deadline: ms of the clock, for the whole session; SESSION_LIMIT may end it
    earlier. log: called with a line for each step."""

    def __init__(self, stream, clock, crypto, timeout, deadline, log):
        self._stream = stream
        self._clock = clock
        self._crypto = crypto
        self._timeout = timeout
        self._deadline = deadline
        self._ends = min(deadline, clock.monotonic() + SESSION_LIMIT)
        self._log = log
        self._number = None
        self._authenticated_by = None
        self._lsc = None
        self._key = None
        self._result = None  # set once something that the server asked for is done

    async def run(self, device_name, credentials, store, delete):
        """Authenticate, do what the server asks for, and return the Result. device_name: text. credentials: Credentials. store
        and delete: see CapfClient.run."""
        self._lsc = credentials.lsc[0] if credentials.lsc else None
        try:
            await self._authenticate(await self._receive(), device_name, credentials)
            for _ in range(MESSAGES_LIMIT):
                await self._obey(await self._receive(), store, delete)
            text = f"does not end the session after {MESSAGES_LIMIT} messages"
        except _Ended as end:
            return end.result
        except Closed as error:
            text = error.text
            if self._number is None and not error.begun:
                return Result("unreachable", text)
        except MessageError as error:
            text = error.text
        except OSError as error:
            text = failure_text(error)
            if self._number is None:
                return Result("unreachable", f"says nothing: {text}")
        if self._result:
            self._result.text += f"; then the session broke off: {text}"
            return self._result
        return Result("interrupted", f"the session broke off, nothing was changed: {text}")

    def _until(self):
        """The deadline of the next message."""
        return min(self._ends, self._clock.monotonic() + self._timeout)

    async def _receive(self):
        """The server's next message. The first message fixes the session number; a message with another number is refused."""
        received = message.decode(
            await read_message(
                self._stream, self._clock, message.PROTOCOL, message.HEADER_LENGTH, MESSAGE_LIMIT, self._until()
            )
        )
        if self._number is None:
            self._number = received.session
        elif received.session != self._number:
            raise MessageError(f"session number {received.session} in the session {self._number}")
        return received

    async def _send(self, command, elements=()):
        await self._stream.write(message.encode(command, self._number, elements), self._until())

    async def _authenticate(self, request, device_name, credentials):
        if request.command == message.END or request.command == message.RETRY_LATER:
            self._end(request)
        if request.command != message.AUTH_REQ:
            raise MessageError(f"starts with command {request.command}, not with AUTH_REQ")
        if request.version != message.VERSION:
            raise _Ended("refused", f"speaks version {request.version}, and this phone speaks {message.VERSION}")
        mode = request.auth_type or credentials.mode or message.AUTH_NONE
        if mode not in (message.AUTH_STRING, message.AUTH_NONE, message.AUTH_LSC, message.AUTH_MIC):
            raise _Ended("refused", f"asks for authentication of an unknown kind, {mode}")
        string = ""
        if mode == message.AUTH_STRING:
            if not credentials.string:
                raise _Ended("string-needed", "asks for an authentication string, and none was typed in")
            string = credentials.string
        try:
            elements = [
                (message.REASON, bytes((message.REASON_UPDATED,))),
                (message.VERSION_ELEMENT, bytes((message.VERSION,))),
                (message.DEVICENAME, message.text(device_name, "the device name")),
                (message.PASSWORD, message.text(string, "the authentication string")),
            ]
            if mode in (message.AUTH_LSC, message.AUTH_MIC):
                certificate_type, identity = _identity(mode, credentials)
                elements += proofs(self._crypto, self._number, device_name, certificate_type, identity, credentials.mic)
        except ValueError as error:
            raise _Ended("refused", f"this phone cannot authenticate itself: {error}")
        self._authenticated_by = mode
        await self._send(message.AUTH_RES, elements)

    async def _obey(self, request, store, delete):
        command = request.command
        if command == message.KEYGEN_REQ:
            await self._make_key(request)
        elif command == message.STORE_REQ:
            await self._store(request, store)
        elif command == message.FETCH_REQ:
            await self._fetch()
        elif command == message.DELETE_REQ:
            await self._delete(delete)
        elif command == message.IN_PROGRESS:
            self._log("the server is still at work")
        elif command in (message.END, message.RETRY_LATER):
            self._end(request)
        else:
            raise MessageError(f"sends command {command}, which a phone does not know")

    async def _make_key(self, request):
        key_kind, bits = _wanted_key(request)
        if self._key or not key_kind:
            # The server is told of the error, so that it can show it; then it ends the session.
            await self._send(message.KEYGEN_RES, ((message.REASON, bytes((message.REASON_INVALID_ELEMENT,))),))
            raise _Ended(
                "refused",
                "asks for a second key" if self._key else f"asks for a key that this phone does not make: {bits}",
            )
        await self._send(message.IN_PROGRESS)
        self._log(f"makes a key: {key_kind.upper()}, {bits} bits")
        began = self._clock.monotonic()
        try:
            self._key = self._crypto.make_key(key_kind, bits)
        except ValueError as error:
            raise _Ended("refused", f"asks for a key that cannot be made here: {error}")
        self._ends = min(self._deadline, self._ends + self._clock.monotonic() - began)
        await self._send(message.KEYGEN_RES, ((message.PUBLICKEY, self._key[1]),))

    async def _store(self, request, store):
        if not self._key:
            raise _Ended("refused", "sends a certificate for a key that was not made in this session")
        if request.certificate is None or request.certificate_type != message.LSC:
            raise _Ended("refused", "sends no LSC where one is to be stored")
        try:
            public_key = self._crypto.certificate(request.certificate).public_key
        except ValueError as error:
            raise _Ended("refused", f"sends an LSC that cannot be read: {error}")
        if public_key != self._key[1]:
            raise _Ended("refused", "sends an LSC for another key than the phone has made")
        try:
            store(request.certificate, self._key[0])
        except OSError as error:
            raise _Ended("not-stored", f"the new certificate could not be stored, the phone keeps what it had: {error}")
        self._key = None
        self._lsc = request.certificate
        self._result = Result("installed", "a new certificate is installed", certificate=request.certificate)
        await self._send(message.STORE_RES, ((message.REASON, bytes((message.REASON_UPDATED,))),))

    async def _fetch(self):
        if self._lsc is None:
            self._result = Result("no-certificate", "asks for the phone's certificate, and there is none")
            elements = ((message.REASON, bytes((message.REASON_INVALID_ELEMENT,))),)
        else:
            self._result = Result("fetched", "the phone's certificate was fetched", certificate=self._lsc)
            elements = (
                (message.REASON, bytes((message.REASON_UPDATED,))),
                (message.CERTIFICATE, message.certificate_value(message.LSC, self._lsc)),
            )
        await self._send(message.FETCH_RES, elements)

    async def _delete(self, delete):
        reason = message.REASON_INVALID_ELEMENT
        if self._lsc is None:
            self._result = Result("no-certificate", "has the phone's certificate deleted, and there is none")
        else:
            try:
                delete()
            except OSError as error:
                raise _Ended("not-stored", f"the certificate could not be deleted: {error}")
            self._lsc = None
            reason = message.REASON_UPDATED
            self._result = Result("deleted", "the phone's certificate and its key are deleted")
        await self._send(message.DELETE_RES, ((message.REASON, bytes((reason,))),))

    def _end(self, request):
        """The server ends the session. Raises _Ended with the Result that follows from its reason."""
        reason = request.reason
        said = f" ({request.reason_info})" if request.reason_info else ""
        if self._result:
            if reason == message.REASON_INVALID_ELEMENT:
                self._result.text += f"; the server ended with an error{said}"
            end = _Ended(self._result.outcome, self._result.text)
            end.result = self._result
            raise end
        if request.command == message.RETRY_LATER or request.retry_delay is not None:
            delay = request.retry_delay
            when = "later" if delay is None else f"in {delay} s"
            raise _Ended("retry-later", f"is to be tried again {when}{said}", retry_delay=delay)
        if self._key:
            raise _Ended("refused", f"ended the session without a certificate for the new key{said}")
        if reason in (message.REASON_NO_ACTION, message.REASON_UPDATED):
            raise _Ended("no-action", f"has nothing for this phone to do{said}")
        if reason == message.REASON_UNKNOWN_DEVICE:
            raise _Ended("unknown-device", f"does not know this phone{said}")
        if reason == message.REASON_INVALID_ELEMENT and self._authenticated_by == message.AUTH_STRING:
            raise _Ended("wrong-string", f"does not accept the authentication string{said}")
        if reason == message.REASON_INVALID_ELEMENT and self._authenticated_by:
            raise _Ended("refused", f"does not accept how this phone authenticates itself{said}")
        raise _Ended("refused", f"ended the session with the reason {reason}{said}")


def _identity(mode, credentials):
    """(LSC or MIC, identity) for the mode AUTH_LSC or AUTH_MIC. If the phone lacks that certificate, it uses the other one
    (docs/spec/capf.md, C11)."""
    both = [(message.LSC, credentials.lsc), (message.MIC, credentials.mic)]
    if mode == message.AUTH_MIC:
        both.reverse()
    for certificate_type, identity in both:
        if identity:
            return certificate_type, identity
    raise _Ended("certificate-needed", "wants the phone to show a certificate, and it has neither LSC nor MIC")


def _wanted_key(request):
    """("rsa" or "ec", bits) of the key that the server asks for, or (None, words for it) if the phone does not make such keys.
    Old servers send no KEYTYPE and mean RSA."""
    if request.key_type in (None, message.RSA):
        if request.key_size in RSA_SIZES:
            return "rsa", request.key_size
        return None, f"RSA of {request.key_size} bits"
    if request.key_type == message.EC:
        if request.curve in message.CURVES:
            return "ec", message.CURVES[request.curve]
        return None, f"EC on the curve {request.curve}"
    return None, f"of type {request.key_type}"
