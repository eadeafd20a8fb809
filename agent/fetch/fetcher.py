# SPDX-License-Identifier: MIT
"""The Fetcher chooses the server that is asked for a file, and the way: HTTPS, HTTP or TFTP.

    fetcher = Fetcher(tftp, web, servers, clock, log)
    fetcher.begin(deadline)
    fetched = await fetcher.fetch("ITLFile.tlv", sink, 65536)

The rules, in their order (docs/spec/http.md, H5, H6 and H8; docs/spec/rules.md, B9 and B10):
1. the Fetcher knows at most SERVERS_LIMIT servers, whichever way the phone learned of them. It asks the server that
   answered last first, and the others in their order;
2. the ways are HTTPS (only if the caller asks for it), HTTP and TFTP. All servers are asked in one way before the next way
   begins;
3. after a failure the fetch goes on. A server that did not deliver the file is followed by the next server of the same way;
   a file that `judge` refuses is followed by the next way. 404 by HTTPS is a failure, because servers hand out only
   configuration there;
4. "not found" by HTTP or TFTP is an answer, and no other server is asked;
5. a server that cost time in this boot and gave nothing is not asked again in that way in the same boot. A fetch
   outside of the boot has a deadline of its own and may ask every server;
6. after the deadline no server is asked.
"""

from agent.fetch.errors import BadName, FetchError, NoServer, NotFound, Stalled, most_telling
from agent.fetch.tftp.packet import name_fault, printable
from agent.servers.network import Costs, server_text

SERVERS_LIMIT = 8

HTTPS = "https"
HTTP = "http"
TFTP = "tftp"
_SHOWN = {HTTPS: "HTTPS", HTTP: "HTTP", TFTP: "TFTP"}


class Fetched:
    """A file that arrived. server: (host, port) of the server that delivered it. way: "https", "http" or "tftp". satisfied:
    what `judge` returned, True if the caller gave no judge. failures: the FetchErrors before it, in order."""

    def __init__(self, server, way, satisfied, failures):
        self.server = server
        self.way = way
        self.satisfied = satisfied
        self.failures = failures


class Fetcher:
    """Fetches files from the phone's file servers.

    tftp: agent.fetch.tftp.client.Client. web: agent.fetch.web.Web, or None for TFTP alone. servers: (host, port) of TFTP,
    best first. log: called with a sentence for each failure. The attribute `server` is the server that answered last, or
    None."""

    def __init__(self, tftp, web, servers, clock, log=None):
        self._tftp = tftp
        self._web = web
        self._clock = clock
        self._log = log
        self.servers = []
        self.server = None
        self._deadline = 0
        self._failed = {}
        self._costs = Costs()
        self.set_servers(servers)

    def set_servers(self, servers):
        """Set the servers: (host, port), best first. Repeated servers, and those over SERVERS_LIMIT, are left out."""
        self.servers = []
        for host, port in servers:
            if (host, port) not in self.servers and len(self.servers) < SERVERS_LIMIT:
                self.servers.append((host, port))
        if self.server not in self.servers:
            self.server = None

    def begin(self, deadline):
        """A boot begins, and ends at `deadline` (ms of the clock). All servers may be asked again."""
        self._deadline = deadline
        self._failed = {}
        self._costs.clear()

    def costs(self):
        """How much time each server cost in this boot: [("TFTP 192.0.2.1:69", ms)], the most expensive server first."""
        return self._costs.listed()

    async def fetch(self, name, sink, limit, deadline=None, secure=False, judge=None):
        """Fetch `name` into the sink; returns a Fetched.

        sink: begin(size or None) is called each time the file starts, write(block) for each block. limit: bytes, inclusive.
        deadline: ms of the clock, for a fetch outside of the boot; None means the boot's deadline. secure: whether HTTPS is
        tried first. judge: async; judge(way, server) says whether the file in the sink is taken. A refused file makes the
        Fetcher try the next way; if no other way delivers the file, the last refused file is the result, with
        `.satisfied` False.

        Raises NotFound if the first server that answered does not have the file, and BadName if no server can be asked for
        this name. If every way failed, it raises the error that says most (TooLarge, BadTransfer, Stalled or NoServer),
        with all failures in `.failures` and in the text. Errors of the sink and of `judge` come through unchanged."""
        fault = name_fault(name)
        if fault:
            raise BadName(None, "'%s'" % printable(name.encode()), fault)
        ends = self._deadline if deadline is None else deadline
        failed = self._failed if deadline is None else {}
        failures = []
        refused = None
        for way in self._ways(secure):
            try:
                server = await self._by(way, name, sink, limit, ends, failed, failures)
            except NotFound as error:
                if refused is not None:
                    break  # the refusal of a file that was there says more than "not found"
                error.failures = failures + [error]
                raise
            if server is None:
                continue
            if judge is None or await judge(way, server):
                return Fetched(server, way, True, failures)
            refused = Fetched(server, way, False, failures)
        if refused is None:
            raise most_telling(failures, name)
        return refused

    def _ways(self, secure):
        if self._web is None:
            return (TFTP,)
        return (HTTPS, HTTP, TFTP) if secure else (HTTP, TFTP)

    def _order(self):
        """The servers, in the order in which they are asked."""
        if self.server is None:
            return list(self.servers)
        return [self.server] + [server for server in self.servers if server != self.server]

    async def _by(self, way, name, sink, limit, ends, failed, failures):
        """The server that delivered the file in this way, or None. Raises NotFound if that answer ends the fetch."""
        for server in self._order():
            where = self._address(way, server)
            before = failed.get((way, server))
            if before is not None:
                failures.append(NoServer(where, name, "not asked again, it failed before (%s)" % before))
                continue
            if self._clock.monotonic() >= ends:
                failures.append(NoServer(where, name, "not asked, the time for that is up"))
                return None
            try:
                await self._ask(way, server, where, name, sink, limit, ends)
            except NotFound as error:
                self.server = server
                if way != HTTPS:
                    raise
                failures.append(error)
            except FetchError as error:
                if isinstance(error, (NoServer, Stalled)):
                    failed[(way, server)] = error.cause
                failures.append(error)
            else:
                self.server = server
                return server
            if self._log:
                self._log(str(failures[-1]))
        return None

    async def _ask(self, way, server, where, name, sink, limit, ends):
        began = self._clock.monotonic()
        try:
            if way == TFTP:
                await self._tftp.fetch(server, name, sink, limit, ends)
            else:
                await self._web.fetch(server, way == HTTPS, name, sink, limit, ends)
        finally:
            self._costs.add("%s %s" % (_SHOWN[way], where), self._clock.monotonic() - began)

    def _address(self, way, server):
        return server_text(server) if way == TFTP else self._web.address(server, way == HTTPS)
