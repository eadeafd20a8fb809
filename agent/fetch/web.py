# SPDX-License-Identifier: MIT
"""Fetches one file from one server by HTTPS or HTTP, as newer phones do (docs/spec/http.md, H1 to H4).

agent/fetch/fetcher.py decides which server is asked, when, and in which way; agent/fetch/http.py has the rules for the
answer. This file keeps two rules:
- the connection, TLS included, must be up within `timeout`. The head of the answer must arrive within another `timeout`,
  and the whole file within `deadline`, counted from the beginning;
- over HTTPS the phone sends nothing of its own before `accept` has accepted the server's certificate.
"""

from agent.fetch.errors import NoServer, SinkFailed
from agent.fetch.http import get
from agent.servers.network import close_quietly, failure_text, server_text


class Web:
    """Fetches files by HTTP and HTTPS for one phone.

    accept: async; accept(certificate DER) says whether this server may hand out the configuration. identity: (certificate
    DER, private key DER) for a server that asks for a certificate, or None; may be set anew at any time. http_port,
    https_port: the ports on which all servers are asked. timeout: ms, for the connection and again for the head of the
    answer. deadline: ms for one file from one server."""

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
        """The address as text, "192.0.2.1:6971", at which `server` (host, port of its TFTP) is asked."""
        return server_text((server[0], self._https_port if secure else self._http_port))

    async def fetch(self, server, secure, name, sink, limit, deadline):
        """Fetch `name` into the sink; returns how many bytes the sink got. limit: bytes, inclusive. deadline: ms of the clock.

        Raises NoServer (no connection, TLS failed, the certificate is not accepted, or silence), NotFound, TooLarge,
        BadTransfer, Stalled and BadName. Errors of the sink come through unchanged."""
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
