# SPDX-License-Identifier: MIT
"""One file from one server by HTTPS or HTTP, as newer phones fetch them (docs/spec/http.md, H1 to H4).

agent/fetch/fetcher.py decides which server is asked, when, and in which way. Kept here:
- the connection, TLS included, stands within `timeout`, the head of the answer comes within as much again, and the whole
  file comes within `deadline`, all from the beginning;
- over HTTPS the phone sends nothing of its own before `accept` has said yes to the server's certificate;
- agent/fetch/http.py has the rules for the answer.
"""

from agent.fetch.errors import NoServer, SinkFailed
from agent.fetch.http import get
from agent.servers.network import close_quietly, failure_text, server_text


class Web:
    """HTTP and HTTPS of one phone.

    accept: async, accept(certificate DER) -> whether this server may hand out the configuration. identity: (certificate
    DER, private key DER) for a server that asks, or None; may be set anew at any time. http_port, https_port: where every
    server is asked. timeout: ms, deadline: ms for one file from one server."""

    def __init__(
        self, net, clock, accept, identity=None, http_port=6970, https_port=6971, timeout=3000, deadline=120000
    ):
        self._net = net
        self._clock = clock
        self._accept = accept
        self.identity = identity
        self._http_port = http_port
        self._https_port = https_port
        self._timeout = timeout
        self._deadline = deadline

    def address(self, server, secure):
        """ "192.0.2.1:6971": where `server` (host, port of its TFTP) is asked."""
        return server_text((server[0], self._https_port if secure else self._http_port))

    async def fetch(self, server, secure, name, sink, limit, deadline):
        """Fetch `name` into the sink: how many bytes it got. limit: bytes, inclusive. deadline: on the clock, ms.

        NoServer (no connection, no TLS, a certificate that is not accepted, silence), NotFound, TooLarge, BadTransfer,
        Stalled, BadName. What the sink raises comes through."""
        where = self.address(server, secure)
        now = self._clock.monotonic()
        deadline = min(deadline, now + self._deadline)
        stream = await self._connect(server[0], secure, name, where, min(deadline, now + self._timeout))
        try:
            head_deadline = self._clock.monotonic() + self._timeout
            return await get(stream, self._clock, where, name, sink, limit, deadline, head_deadline)
        except SinkFailed as failed:
            raise failed.error
        finally:
            close_quietly(stream)

    async def _connect(self, host, secure, name, where, deadline):
        try:
            if secure:
                return await self._net.tls(host, self._https_port, deadline, self._accept, self.identity)
            return await self._net.tcp(host, self._http_port, deadline)
        except OSError as error:
            raise NoServer(where, name, failure_text(error))
        except ValueError as error:
            raise NoServer(where, name, "this phone's own certificate cannot be shown: %s" % error)
