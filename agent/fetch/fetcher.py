# SPDX-License-Identifier: MIT
"""Which server is asked for a file, and by which way.

    fetcher = Fetcher(tftp, web, servers, clock, log)
    fetcher.begin(deadline)
    fetched = await fetcher.fetch("ITLFile.tlv", sink, 65536)

The rules, in their order:
1. at most SERVERS_LIMIT servers are known, wherever they come from; the one that answered last is asked first, the others
   in their order;
2. the ways are HTTPS (for the file that the caller says), HTTP, TFTP. A way has all servers before the next way begins;
3. every failure goes on: to the next server of the same way where the server did not deliver the file, to the next way
   where `judge` refuses what it delivered. 404 by HTTPS is such a failure: servers hand out only configuration there;
4. "not found" by HTTP or TFTP is an answer: nobody else is asked;
5. a server that cost time in this boot and gave nothing is not asked again by that way in the same boot. What is asked for
   outside of the boot has a deadline of its own, and everybody is asked;
6. nothing is asked for when the deadline has passed.
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
    """A file that arrived: `server` (host, port) and `way` ("https", "http", "tftp") of the last one that delivered it;
    `satisfied`: what `judge` said of it, True where nobody judged; `failures`: the FetchErrors before it, in order."""

    def __init__(self, server, way, satisfied, failures):
        self.server = server
        self.way = way
        self.satisfied = satisfied
        self.failures = failures


class Fetcher:
    """Fetches files from the phone's file servers.

    tftp: agent.fetch.tftp.client.Client. web: agent.fetch.web.Web, or None: TFTP alone. servers: (host, port) of TFTP, best
    first. log: called with a sentence for each failure. server: the one that answered last, or None."""

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
        """The servers as (host, port), best first. Repeated ones and those over SERVERS_LIMIT are left out."""
        self.servers = []
        for host, port in servers:
            if (host, port) not in self.servers and len(self.servers) < SERVERS_LIMIT:
                self.servers.append((host, port))
        if self.server not in self.servers:
            self.server = None

    def begin(self, deadline):
        """A boot begins, and ends at `deadline` (on the clock, ms): every server may be there again."""
        self._deadline = deadline
        self._failed = {}
        self._costs.clear()

    def costs(self):
        """[("TFTP 192.0.2.1:69", ms)] of this boot: how much time went to each server, the most expensive one first."""
        return self._costs.listed()

    async def fetch(self, name, sink, limit, deadline=None, secure=False, judge=None):
        """Fetch `name` into the sink: Fetched.

        sink: begin(size or None), again whenever the file starts over, and write(block). limit: bytes, inclusive.
        deadline: on the clock, ms, for what is asked for outside of a boot; None: the boot's. secure: whether HTTPS is
        asked first. judge: async, judge(way, server) -> whether what lies in the sink is taken; where it is not, the next
        way is tried, and where no other way delivers the file, the last refused one is the result (.satisfied is False).

        NotFound: the first server that answered does not have it. BadName: nobody can be asked for it. When every way
        failed, the most telling of TooLarge, BadTransfer, Stalled and NoServer, with all of them in `.failures` and in the
        text. What the sink or `judge` raises comes through."""
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
                    break  # a file that was there and is refused says more
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
        """The servers in the order in which they are asked."""
        if self.server is None:
            return list(self.servers)
        return [self.server] + [server for server in self.servers if server != self.server]

    async def _by(self, way, name, sink, limit, ends, failed, failures):
        """The server that delivered the file by this way, or None. NotFound where that ends the asking."""
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
