# SPDX-License-Identifier: MIT
"""The CAPF client. With it the phone gets, renews, shows and loses its own certificate, the LSC (docs/spec/capf.md).

The client keeps these rules, in this order:
1. it tries the servers one after the other, and uses the first server that is believed and speaks (C3), whatever that server
   says;
2. it sends nothing to a server that `authenticate` does not accept, and does not show it the phone's certificate (C2);
3. if a server does not know the phone by one name, the client tells it the next name (C10);
4. agent/servers/capf/session.py has the rules of one session.
"""

from agent.servers.capf.session import Credentials, Result, Session
from agent.servers.network import Costs, close_quietly, failure_text, is_timeout, server_text

__all__ = ["CapfClient", "Credentials", "Result"]

#: How many servers are tried: a configuration may name five.
SERVERS_LIMIT = 5


class _NotHere(Exception):
    """This server cannot be used, but another server might be. `result` is reported if no server can."""

    def __init__(self, result):
        super().__init__(result.text)
        self.result = result


class CapfClient:
    """Talks to CAPF. net, clock, crypto: parts of a HAL. log: called with a line for each step, or None.

    names: the phone's device names, such as ("SEP00270DC01C92", "CP-8861-SEP00270DC01C92"). A server is told the first name,
    and the next name if it answers *unknown device*. timeout: ms for the connection and its handshake, and for each whole
    message of the server.
    """

    def __init__(self, net, clock, crypto, names, timeout, log=None):
        self._net = net
        self._clock = clock
        self._crypto = crypto
        self._names = names
        self._timeout = timeout
        self._log = log or _silent
        self._costs = Costs()

    def costs(self):
        """How much time each server cost: [("CAPF 192.0.2.1:3804", ms)], the most expensive server first."""
        return self._costs.listed()

    async def run(self, servers, credentials, authenticate, store, delete, deadline):
        """Do what the first server that answers asks for; returns the Result. Network errors become Results as well.

        servers: (host, port), best first; those over SERVERS_LIMIT are left out. credentials: Credentials. authenticate:
        async; authenticate(certificate DER) returns the Decision about the server. store(certificate DER, private key DER)
        makes both the phone's in one write; delete() removes both; each raises OSError if it fails. deadline: ms of the
        clock, for everything.
        """
        failed = None
        texts = []
        for server in list(servers)[:SERVERS_LIMIT]:
            began = self._clock.monotonic()
            try:
                result = await self._ask(server, credentials, authenticate, store, delete, deadline)
            except _NotHere as failure:
                result = failure.result
                result.server = server
                texts.append(result.text)
                self._log(result.text)
                if failed is None or (failed.outcome == "unreachable" and result.outcome != "unreachable"):
                    failed = result
                continue
            finally:
                self._costs.add("CAPF " + server_text(server), self._clock.monotonic() - began)
            result.server = server
            result.text = "; ".join(texts + [result.text])
            return result
        if failed is None:
            return Result("unreachable", "no CAPF server is known")
        failed.text = "; ".join(texts)
        return failed

    async def _ask(self, server, credentials, authenticate, store, delete, deadline):
        """Tell one server one name after the other. Returns the Result of the last session that the server answered. Raises
        _NotHere."""
        result = None
        for name in self._names:
            if result is not None:
                self._log(f"CAPF {server_text(server)} does not know this phone by that name, is told {name}")
            try:
                latest = await self._session(server, name, credentials, authenticate, store, delete, deadline)
            except _NotHere:
                if result is None:
                    raise
                return result
            if result is not None and latest.outcome == "interrupted":
                return result
            result = latest
            if result.outcome != "unknown-device":
                return result
        return result

    async def _session(self, server, name, credentials, authenticate, store, delete, deadline):
        """One connection and the Result of its session. Raises _NotHere if the server is unreachable or is not believed."""
        where = f"CAPF {server_text(server)}"
        decisions = []

        async def accept(certificate):
            decisions.append(await authenticate(certificate))
            return decisions[-1].accepted

        if self._clock.monotonic() >= deadline:
            raise _NotHere(Result("unreachable", f"{where}: not asked, the time for that is up"))
        try:
            stream = await self._connect(server, credentials.lsc or credentials.mic, accept, decisions, deadline)
        except OSError as error:
            if decisions and not decisions[-1].accepted:
                raise _NotHere(Result("untrusted", f"{where}: {decisions[-1].text}", decision=decisions[-1]))
            raise _NotHere(Result("unreachable", f"{where}: {failure_text(error)}"))
        except ValueError as error:
            return Result("refused", f"{where}: not asked, this phone's own certificate cannot be shown: {error}")
        try:
            session = Session(stream, self._clock, self._crypto, self._timeout, deadline, self._log)
            result = await session.run(name, credentials, store, delete)
        finally:
            close_quietly(stream)
        result.text = f"{where}: {result.text}"
        result.decision = decisions[-1] if decisions else None
        if result.outcome == "unreachable":
            raise _NotHere(result)
        return result

    async def _connect(self, server, identity, accept, decisions, deadline):
        """A TLS connection. If TVS took so long to vouch for the server that the handshake ran out of time, the client connects
        once more: the cache has the answer by then."""
        judged = False
        while True:
            until = min(deadline, self._clock.monotonic() + self._timeout)
            try:
                return await self._net.tls(server[0], server[1], until, accept, identity)
            except OSError as error:
                if judged or not (decisions and decisions[-1].accepted and is_timeout(error)):
                    raise
                judged = True


def _silent(line):
    pass
