# SPDX-License-Identifier: MIT
"""The TVS client: puts a Question of the trust rules to the cluster's trust verification servers (docs/spec/tvs.md).

Rules kept here, in this order:
1. a remembered positive answer is used as long as its time to live says, on the monotonic clock;
2. the servers are tried one after the other, the one that answered last first;
3. nothing is sent to, and nothing believed of, a server whose certificate is not, byte for byte, one of those with
   role TVS in the installed lists: no chain, no host name, no clock. A TVS certificate is never itself asked about;
4. the first answer ends the asking, also when it is *no*;
5. a server that closes the connection on QUERY_CERT is remembered as one that does not know this request.

Every way to fail is told apart in the Answer's text. What answers mean for trust is decided in agent/trust/rules.py.
"""

from agent.formats.names import role_name
from agent.servers.messages import MessageError, failure_text, is_closed, read_message
from agent.servers.tvs import message
from agent.trust.decision import Answer

#: The longest answer that is read, header included (bytes). A certificate has 1 to 3 KB.
ANSWER_LIMIT = 16384
#: How many servers are tried: five of a configuration, the others of the ITL's TVS records.
SERVERS_LIMIT = 16
#: How many positive answers are remembered; the one that ends first makes room.
CACHE_LIMIT = 16
#: The longest time (seconds) that a positive answer is remembered. 86400 is usual; a server that says more than a
#: week has a mistake in it, and a certificate that was taken back must not be believed for years.
TTL_LIMIT = 7 * 86400
#: How many roles a sentence names; a server may send thousands.
ROLES_SHOWN = 8
#: How long (seconds) a server counts as one that does not know QUERY_CERT: it may be upgraded meanwhile.
UNSUPPORTED_KEPT = 3600

# Which failure says most about the cluster; the highest one of all servers becomes the Answer's status.
_WEIGHT = ("unreachable", "untrusted", "unsupported")


class _NoAnswer(Exception):
    """This server gave no answer: `.status` as in Answer, `.text` why."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        self.text = text


class _Remembered:
    """A positive answer and until when it holds (ms). `name` is (issuer, serial) when it was found by them."""

    def __init__(self, name, certificate, answer, until):
        self.name = name
        self.certificate = certificate
        self.answer = answer
        self.until = until


class TvsClient:
    """Asks TVS. Uses `net`, `clock`, `random` of a HAL; `log`, if given, is called with one line for each server tried.

    device_name: `CP-8861-SEP00270DC01C92`. timeout: ms, for connecting, for the handshake, for sending and for the
    whole answer; a server that drips its answer costs at most two of them, as only reads are bounded.
    identity: (certificate DER, private key DER) for a server that asks, or None; may be set anew at any time.
    """

    def __init__(self, net, clock, random, device_name, timeout, identity=None, log=None):
        self._net = net
        self._clock = clock
        self._random = random
        self._device_name = device_name
        self._timeout = timeout
        self.identity = identity
        self._log = log
        self.servers = []
        self._certificates = []
        self._answered_last = None
        self._unsupported = {}
        self._cache = []
        self._buffer = bytearray(ANSWER_LIMIT)

    def set_servers(self, servers):
        """The servers as (host, port), best first. Repeated ones and those over SERVERS_LIMIT are left out."""
        self.servers = []
        for host, port in servers:
            if (host, port) not in self.servers and len(self.servers) < SERVERS_LIMIT:
                self.servers.append((host, port))

    def set_certificates(self, certificates):
        """The TVS certificates (DER) of the installed trust lists. Other ones than before empty the cache."""
        certificates = [bytes(certificate) for certificate in certificates]
        if certificates != self._certificates:
            self.clear()
        self._certificates = certificates

    def clear(self):
        """Forget all answers: to be called when the ITL changes."""
        self._cache = []
        self._unsupported = {}

    def forget(self, question):
        """Forget what answers this question: for an answer that proved useless (another certificate than asked for)."""
        self._cache = [entry for entry in self._cache if not _answers(entry, question)]

    def ask(self, question):
        """The Answer to a Question (agent/trust/decision.py). Raises nothing: a question that cannot be put is "refused"."""
        answer = self._recall(question)
        if answer:
            return answer
        if not self.servers:
            return Answer("unreachable", text="no TVS server is known")
        if not self._certificates:
            return Answer("untrusted", text="the installed trust lists hold no TVS certificate to know a server by")
        session = int.from_bytes(self._random.bytes(4), "big")
        try:
            request = self._request(question, session)
        except ValueError as error:
            return Answer("refused", text=f"TVS cannot be asked: {error}")
        status = "unreachable"
        texts = []
        for server in self._order():
            try:
                answer = self._ask_server(server, question, request, session)
            except _NoAnswer as failure:
                if _WEIGHT.index(failure.status) > _WEIGHT.index(status):
                    status = failure.status
                texts.append(self._say(f"TVS {server[0]}:{server[1]}: {failure.text}"))
                continue
            texts.append(self._say(f"TVS {answer.server}: {answer.text}"))
            answer.text = "; ".join(texts)
            self._answered_last = server
            self._remember(question, answer)
            return answer
        return Answer(status, text="; ".join(texts))

    def _request(self, question, session):
        if question.kind == "query":
            return message.encode_query(session, self._device_name, question.subject, question.issuer, question.serial)
        return message.encode_verification(session, self._device_name, question.certificate)

    def _order(self):
        """The servers in the order in which they are tried."""
        if self._answered_last not in self.servers:
            return list(self.servers)
        return [self._answered_last] + [server for server in self.servers if server != self._answered_last]

    def _say(self, line):
        if self._log:
            self._log(line)
        return line

    def _ask_server(self, server, question, request, session):
        """One server's Answer ("valid" or "refused"); _NoAnswer when it gives none that can be used."""
        querying = question.kind == "query"
        if querying and self._unsupported.get(server, 0) > self._clock.monotonic():
            raise _NoAnswer("unsupported", "known not to answer requests for a certificate (QUERY_CERT)")
        try:
            stream = self._net.tls(server[0], server[1], self._timeout, self.identity)
        except OSError as error:
            raise _NoAnswer("unreachable", failure_text(error))
        except ValueError as error:
            raise _NoAnswer("unreachable", f"not asked, this phone's own certificate cannot be shown: {error}")
        try:
            if stream.peer_certificate not in self._certificates:
                raise _NoAnswer("untrusted", self._untrusted())
            received = self._exchange(stream, request, querying)
            return _understood(received, question, session, f"{server[0]}:{server[1]}")
        except _NoAnswer as failure:
            if failure.status == "unsupported":
                self._unsupported[server] = self._clock.monotonic() + UNSUPPORTED_KEPT * 1000
            raise
        finally:
            _close(stream)

    def _untrusted(self):
        count = len(self._certificates)
        if count == 1:
            return "shows another certificate than the one of role TVS in the installed trust lists"
        return f"shows another certificate than the {count} of role TVS in the installed trust lists"

    def _exchange(self, stream, request, querying):
        """Send the request; the decoded message that comes back, from a server whose certificate is known."""
        deadline = self._clock.monotonic() + self._timeout
        try:
            stream.write(request)
            return message.decode(
                read_message(stream, self._clock, self._buffer, message.PROTOCOL, message.HEADER_LENGTH, deadline)
            )
        except MessageError as error:
            if not error.closed:
                raise _NoAnswer("unreachable", f"no usable answer: {error.text}")
        except OSError as error:
            if not is_closed(error):
                raise _NoAnswer("unreachable", failure_text(error))
        if querying:
            raise _NoAnswer("unsupported", "closed the connection on a request for a certificate (QUERY_CERT)")
        raise _NoAnswer("unreachable", "closed the connection without an answer")

    def _recall(self, question):
        """The remembered Answer, or None. Entries whose time is over are dropped."""
        now = self._clock.monotonic()
        self._cache = [entry for entry in self._cache if entry.until > now]
        for entry in self._cache:
            if _answers(entry, question):
                kept = entry.answer
                seconds = (entry.until - now) // 1000
                return Answer(
                    "valid",
                    kept.certificate,
                    kept.roles,
                    kept.ttl,
                    kept.server,
                    f"TVS {kept.server} vouched for it, which holds for another {seconds} s",
                )
        return None

    def _remember(self, question, answer):
        """Keep a positive answer for its time to live; 0 is not kept."""
        if answer.status != "valid" or not answer.ttl:
            return
        self.forget(question)
        if len(self._cache) >= CACHE_LIMIT:
            first = self._cache[0]
            for entry in self._cache:
                if entry.until < first.until:
                    first = entry
            self._cache.remove(first)
        name = (question.issuer, bytes(question.serial)) if question.kind == "query" else None
        until = self._clock.monotonic() + min(answer.ttl, TTL_LIMIT) * 1000
        self._cache.append(_Remembered(name, answer.certificate, answer, until))


def _answers(entry, question):
    """Whether a remembered answer is one to this question: the same certificate, and a role that is wanted."""
    if question.kind == "query":
        if entry.name != (question.issuer, bytes(question.serial)):
            return False
    elif entry.certificate != question.certificate:
        return False
    for role in question.roles:
        if role in entry.answer.roles:
            return True
    return False


def _understood(received, question, session, server):
    """An Answer from a decoded message; _NoAnswer when it is not one to this question."""
    expected = message.QUERY_CERT_RES if question.kind == "query" else message.CERT_VERIFICATION_RES
    if received.session != session:
        raise _NoAnswer("unreachable", f"refused its answer: session number {received.session}, asked with {session}")
    if received.command != expected:
        raise _NoAnswer("unreachable", f"refused its answer: command {received.command}, {expected} expected")
    if received.status is None:
        raise _NoAnswer("unreachable", "refused its answer: no STATUS in it")
    if received.status != message.STATUS_VALID:
        return Answer("refused", server=server, text=f"does not vouch for it (status {received.status})")
    certificate = received.certificate
    if question.kind == "query":
        if certificate is None:
            raise _NoAnswer("unreachable", "refused its answer: it says found, without a certificate")
    elif certificate is None:
        certificate = bytes(question.certificate)
    elif certificate != question.certificate:
        raise _NoAnswer("unreachable", "refused its answer: it is about another certificate")
    roles = received.roles or ()
    shown = ", ".join([role_name(role) for role in roles[:ROLES_SHOWN]]) or "nothing"
    if len(roles) > ROLES_SHOWN:
        shown += " and more"
    return Answer("valid", certificate, roles, received.ttl or 0, server, f"vouches for it as {shown}")


def _close(stream):
    try:
        stream.close()
    except OSError:
        pass  # the answer is read or the failure is known; how the connection ends changes neither
