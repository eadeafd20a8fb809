# SPDX-License-Identifier: MIT
"""The TVS client: puts a Question of the trust rules to the cluster's trust verification servers (docs/spec/tvs.md).

Rules kept here, in this order:
1. a remembered positive answer is used as long as its time to live says, on the monotonic clock;
2. the servers are tried one after the other, the one that answered last first. One that could not be asked, or did not
   answer in time, or is not believed, is not asked again in the same boot; what is asked outside of the boot asks all;
3. nothing is sent to, and nothing believed of, a server whose certificate is not, byte for byte, one of those with
   role TVS in the installed lists: no chain, no host name, no clock. A TVS certificate is never itself asked about;
4. the first answer ends the asking, also when it is *no*;
5. a connection that ends without an answer is made once more, as a cut looks like a server that does not know the
   request. A server that ended TLS orderly on QUERY_CERT both times is not asked that again in the same boot;
6. a server has one deadline for a connection, one for an exchange, and twice that for everything.

Several questions may be asked at once: each has a connection, a session number and memory of its own.
Every way to fail is told apart in the Answer's text. What answers mean for trust is decided in agent/trust/rules.py.
"""

from agent.formats.names import role_name
from agent.servers.messages import Closed, MessageError, read_message
from agent.servers.network import Costs, close_quietly, failure_text, is_closed, is_timeout, server_text
from agent.servers.tvs import message
from agent.servers.tvs.cache import Cache
from agent.trust.decision import Answer

#: The longest answer that is read, header included (bytes). A certificate has 1 to 3 KB.
ANSWER_LIMIT = 16384
#: How many servers are tried: five of a configuration, the others of the ITL's TVS records.
SERVERS_LIMIT = 16
#: How many roles a sentence names; a server may send thousands.
ROLES_SHOWN = 8

# Which failure says most about the cluster; the highest one of all servers becomes the Answer's status.
_WEIGHT = ("unreachable", "untrusted", "unsupported")


class _NoAnswer(Exception):
    """This server gave no answer: `.status` as in Answer, `.text` why. lasting: whether it is left alone in this boot."""

    def __init__(self, status, text, lasting=False):
        super().__init__(text)
        self.status = status
        self.text = text
        self.lasting = lasting


class _Ended(Exception):
    """The connection ended without a whole answer. orderly: TLS said so; begun: a part of an answer had come."""

    def __init__(self, orderly, begun):
        super().__init__("ended")
        self.orderly = orderly
        self.begun = begun


class TvsClient:
    """Asks TVS. Uses `net`, `clock`, `random` of a HAL; `log`, if given, is called with one line for each server tried.

    device_name: `CP-8861-SEP00270DC01C92`. timeout: ms, for connecting with the handshake, and as much again for sending
    and the whole answer; a server never costs more than these two, its second chance included.
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
        self._deadline = 0
        self._failed = {}  # server -> _NoAnswer, of this boot
        self._unsupported = []  # servers, of this boot
        self._cache = Cache(clock)
        self._age = 0  # of the lists: how often they changed
        self._costs = Costs()

    def begin(self, deadline):
        """A boot begins, and ends at `deadline` (on the clock, ms): every server may be there again."""
        self._deadline = deadline
        self._failed = {}
        self._unsupported = []
        self._costs.clear()

    def costs(self):
        """[("TVS 192.0.2.1:2445", ms)] of this boot: how much time went to each server, the most expensive one first."""
        return self._costs.listed()

    def set_servers(self, servers):
        """The servers as (host, port), best first: those of the configuration by priority, then those of the ITL's TVS
        records. Repeated ones and those over SERVERS_LIMIT are left out."""
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
        """Forget all answers, those under way included: to be called when the ITL changes."""
        self._age += 1
        self._cache.clear()
        self._unsupported = []
        for server in list(self._failed):
            if self._failed[server].status == "untrusted":
                del self._failed[server]

    def forget(self, question):
        """Forget what answers this question: for an answer that proved useless (another certificate than asked for)."""
        self._cache.forget(question)

    async def ask(self, question, deadline=None):
        """The Answer to a Question (agent/trust/decision.py). Raises nothing: a question that cannot be put is "refused".

        deadline: on the clock, ms, for what is asked outside of a boot; None: the boot's."""
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
        """_NoAnswer for a server that this boot has asked in vain."""
        before = self._failed.get(server)
        if before is not None:
            raise _NoAnswer(before.status, f"not asked again in this boot ({before.text})")
        if question.request == "query" and server in self._unsupported:
            raise _NoAnswer("unsupported", "known not to answer requests for a certificate (QUERY_CERT)")

    async def _ask_server(self, server, question, request, session, ends):
        """One server's Answer ("valid" or "refused"); _NoAnswer when it gives none that can be used."""
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
        """One connection: the decoded message that comes back from a server whose certificate is known. _Ended, _NoAnswer."""
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
        """A TLS connection to a server whose certificate is one of the lists'."""
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
    """An Answer from a decoded message; _NoAnswer when it is not one to this question."""
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
