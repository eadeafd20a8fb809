# SPDX-License-Identifier: MIT
"""The TVS client: puts a Question of the trust rules to the cluster's trust verification servers (docs/spec/tvs.md).

The client keeps these rules, in this order:
1. it uses a remembered positive answer as long as its time to live lasts by the monotonic clock (T12);
2. it tries the servers one after the other, beginning with the server that answered last. A server that could not be
   reached, did not answer in time, or is not believed is not asked again in the same boot. A question outside of the boot
   may ask every server (T10);
3. it believes a server only if the server's certificate is, byte for byte, one that the installed lists have as TVS (T2). It
   looks at no chain, host name or date, sends nothing to any other server, and asks TVS about no TVS certificate;
4. the first answer ends the search, also if it is *no* (T11);
5. if a connection ends without an answer, it connects once more, because a cut connection looks like a server that does not
   know the request. A server that ended TLS in an orderly way on QUERY_CERT both times is not sent QUERY_CERT again in
   the same boot (T6);
6. a server has one timeout for a connection, one for an exchange, and twice the timeout for everything.

Several questions may be asked at once: each has its own connection, session number and memory. The Answer's text tells
every kind of failure apart. agent/trust/rules.py decides what an answer means for trust.
"""

from agent.formats.names import role_name
from agent.servers.messages import Closed, MessageError, read_message
from agent.servers.network import Costs, close_quietly, failure_text, is_closed, is_timeout, server_text
from agent.servers.tvs import message
from agent.servers.tvs.cache import Cache
from agent.trust.decision import Answer

#: The longest answer that is read, header included (bytes). A certificate has 1 to 3 KB.
ANSWER_LIMIT = 16384
#: How many servers are tried: five of a configuration, the others of the TVS records of the installed lists.
SERVERS_LIMIT = 16
#: How many roles a sentence names; a server may send up to 256.
ROLES_SHOWN = 8

# From the failure that says least about the cluster to the one that says most. The last of these becomes the Answer's status.
_WEIGHT = ("unreachable", "untrusted", "unsupported")


class _NoAnswer(Exception):
    """This server gave no answer. status: as in Answer. text: why. lasting: whether it is not asked again in this boot."""

    def __init__(self, status, text, lasting=False):
        super().__init__(text)
        self.status = status
        self.text = text
        self.lasting = lasting


class _Ended(Exception):
    """The connection ended before the answer was complete. orderly: whether TLS announced the end. begun: whether a part of an
    answer had arrived."""

    def __init__(self, orderly, begun):
        super().__init__("ended")
        self.orderly = orderly
        self.begun = begun


class TvsClient:
    """Asks TVS. net, clock, random: parts of a HAL. log: called with a line for each server that was tried, or None.

    device_name: such as `CP-8861-SEP00270DC01C92`. timeout: ms for the connection and its handshake, and again for the request
    and the whole answer. A server never costs more than twice the timeout, its second chance included. identity:
    (certificate DER, private key DER) for a server that asks for a certificate, or None; may be set anew at any time.
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
        self._deadline = 0
        self._failed = {}  # server -> _NoAnswer, of this boot
        self._unsupported = []  # servers, of this boot
        self._cache = Cache(clock)
        self._age = 0  # how often the installed lists changed
        self._costs = Costs()

    def begin(self, deadline):
        """A boot begins, and ends at `deadline` (ms of the clock). All servers may be asked again."""
        self._deadline = deadline
        self._failed = {}
        self._unsupported = []
        self._costs.clear()

    def costs(self):
        """How much time each server cost in this boot: [("TVS 192.0.2.1:2445", ms)], the most expensive server first."""
        return self._costs.listed()

    def set_servers(self, servers):
        """Set the servers: (host, port), best first. Those of the configuration come first, by priority; then those of the TVS
        records of the installed lists (T9). Repeated servers, and those over SERVERS_LIMIT, are left out."""
        self.servers = []
        for host, port in servers:
            if (host, port) not in self.servers and len(self.servers) < SERVERS_LIMIT:
                self.servers.append((host, port))

    def set_certificates(self, certificates):
        """Set the TVS certificates (DER) of the installed trust lists. A change of them empties the cache."""
        certificates = [bytes(certificate) for certificate in certificates]
        if certificates != self._certificates:
            self.clear()
        self._certificates = certificates

    def clear(self):
        """Forget all answers, also those of questions that are being asked now. To be called when a list changes. Servers that
        failed because their certificate was in no list may be asked again."""
        self._age += 1
        self._cache.clear()
        self._unsupported = []
        for server in list(self._failed):
            if self._failed[server].status == "untrusted":
                del self._failed[server]

    def forget(self, question):
        """Forget the remembered answers to this question, because they proved useless."""
        self._cache.forget(question)

    async def ask(self, question, deadline=None):
        """The Answer to a Question (agent/trust/decision.py). deadline: ms of the clock, for a question outside of the boot; None
        means the boot's deadline. Raises nothing; a question that does not fit into a message gets the status "refused"."""
        answer = self._cache.recall(question)
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
        return await self._ask_servers(question, request, session, deadline)

    async def _ask_servers(self, question, request, session, deadline):
        in_boot = deadline is None
        ends = self._deadline if in_boot else deadline
        age = self._age
        status = "unreachable"
        texts = []
        for server in self._order():
            try:
                if self._clock.monotonic() >= ends:
                    raise _NoAnswer("unreachable", "not asked, the time for that is up")
                if in_boot:
                    self._leave_alone(server, question)
                answer = await self._ask_server(server, question, request, session, ends)
            except _NoAnswer as failure:
                if failure.lasting and in_boot:
                    self._failed[server] = failure
                if _WEIGHT.index(failure.status) > _WEIGHT.index(status):
                    status = failure.status
                texts.append(self._say(f"TVS {server_text(server)}: {failure.text}"))
                continue
            texts.append(self._say(f"TVS {answer.server}: {answer.text}"))
            answer.text = "; ".join(texts)
            self._answered_last = server
            if age == self._age:
                self._cache.remember(question, answer)
            return answer
        return Answer(status, text="; ".join(texts))

    def _request(self, question, session):
        if question.request == "query":
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

    def _leave_alone(self, server, question):
        """Raise _NoAnswer for a server that failed before in this boot."""
        before = self._failed.get(server)
        if before is not None:
            raise _NoAnswer(before.status, f"not asked again in this boot ({before.text})")
        if question.request == "query" and server in self._unsupported:
            raise _NoAnswer("unsupported", "known not to answer requests for a certificate (QUERY_CERT)")

    async def _ask_server(self, server, question, request, session, ends):
        """One server's Answer ("valid" or "refused"). Raises _NoAnswer if it gives no usable answer."""
        began = self._clock.monotonic()
        ends = min(ends, began + 2 * self._timeout)
        orderly, begun = True, False
        where = server_text(server)
        try:
            for _ in range(2):
                try:
                    received = await self._exchange(server, request, ends)
                except _Ended as end:
                    orderly = orderly and end.orderly
                    begun = begun or end.begun
                else:
                    return _understood(received, question, session, where)
        finally:
            self._costs.add("TVS " + where, self._clock.monotonic() - began)
        if question.request != "query":
            raise _NoAnswer("unreachable", "closed the connection twice without an answer")
        if begun:
            raise _NoAnswer("unreachable", "closed the connection twice, within its answer")
        if orderly and server not in self._unsupported:
            self._unsupported.append(server)
        raise _NoAnswer("unsupported", "closed the connection twice on a request for a certificate (QUERY_CERT)")

    async def _exchange(self, server, request, ends):
        """Connect, send the request and return the decoded answer. Raises _Ended and _NoAnswer."""
        stream = await self._connect(server, min(ends, self._clock.monotonic() + self._timeout))
        deadline = min(ends, self._clock.monotonic() + self._timeout)
        try:
            await stream.write(request, deadline)
            received = await read_message(
                stream, self._clock, message.PROTOCOL, message.HEADER_LENGTH, ANSWER_LIMIT, deadline
            )
            return message.decode(received, message.ANSWERING)
        except Closed as error:
            raise _Ended(stream.orderly, error.begun)
        except MessageError as error:
            slow = self._clock.monotonic() >= deadline
            raise _NoAnswer("unreachable", f"no usable answer: {error.text}", slow)
        except OSError as error:
            if is_closed(error):
                raise _Ended(False, False)
            raise _NoAnswer("unreachable", failure_text(error), is_timeout(error))
        finally:
            close_quietly(stream)

    async def _connect(self, server, deadline):
        """A TLS connection to a server whose certificate is one of `_certificates`. Raises _NoAnswer."""
        strangers = []

        async def accept(certificate):
            if certificate in self._certificates:
                return True
            strangers.append(certificate)
            return False

        try:
            return await self._net.tls(server[0], server[1], deadline, accept, self.identity)
        except OSError as error:
            if strangers:
                raise _NoAnswer("untrusted", self._untrusted(), True)
            raise _NoAnswer("unreachable", failure_text(error), True)
        except ValueError as error:
            raise _NoAnswer("unreachable", f"not asked, this phone's own certificate cannot be shown: {error}")

    def _untrusted(self):
        count = len(self._certificates)
        if count == 1:
            return "shows another certificate than the one of role TVS in the installed trust lists"
        return f"shows another certificate than the {count} of role TVS in the installed trust lists"


def _understood(received, question, session, where):
    """The Answer in a decoded message. Raises _NoAnswer if the message does not answer this question."""
    expected = message.QUERY_CERT_RES if question.request == "query" else message.CERT_VERIFICATION_RES
    if received.session != session:
        raise _NoAnswer("unreachable", f"refused its answer: session number {received.session}, asked with {session}")
    if received.command != expected:
        raise _NoAnswer("unreachable", f"refused its answer: command {received.command}, {expected} expected")
    if received.status is None:
        raise _NoAnswer("unreachable", "refused its answer: no STATUS in it")
    if received.status != message.STATUS_VALID:
        return Answer("refused", server=where, text=f"does not vouch for it (status {received.status})")
    certificate = received.certificate
    if question.request == "query":
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
    return Answer("valid", certificate, roles, received.ttl or 0, where, f"vouches for it as {shown}")
