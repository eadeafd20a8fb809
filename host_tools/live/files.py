# SPDX-License-Identifier: MIT
"""Files of servers that run now, by the phone's own fetcher: which files came, from where, and which did not.

`LiveFiles` is given to a TrialPhone in place of files. `fetch_phone` gets the files that one phone would ask for."""

from agent.boot.lists import list_names
from agent.fetch.errors import FetchError, NotFound
from agent.fetch.fetcher import Fetcher
from agent.fetch.tftp.client import Client
from agent.fetch.web import Web
from agent.servers.network import server_text

#: ms for all files of one phone
PHONE_TIME = 180000


class LiveFiles:
    """The fetcher of a phone with these settings (agent.settings.Settings), which notes the files that came.

    hal: of this PC. log(line): called for each failure. accept: async, whether an HTTPS server may hand out files; set later.
    got: {name: (bytes, way, server)}. failed: {name: text}."""

    def __init__(self, hal, settings, log=None, accept=None):
        self.accept = accept
        self._clock = hal.clock
        tftp = Client(
            hal.net,
            hal.clock,
            hal.random,
            block_size=settings.tftp_block_size,
            window=settings.tftp_window,
            timeout=settings.tftp_timeout,
            attempts=settings.tftp_attempts,
            deadline=settings.tftp_deadline,
        )
        web = None
        if settings.file_transfer == "http":
            ports = (settings.http_port, settings.https_port, settings.http_timeout, settings.tftp_deadline)
            web = Web(hal.net, hal.clock, self._accepts, None, *ports)
        self._tftp = tftp
        self._fetcher = Fetcher(tftp, web, settings.tftp, hal.clock, log)
        self.got = {}
        self.failed = {}

    async def _accepts(self, certificate):
        return self.accept is None or await self.accept(certificate)

    @property
    def servers(self):
        """As of Fetcher."""
        return self._fetcher.servers

    def begin(self, deadline):
        """As of Fetcher."""
        self._fetcher.begin(deadline)

    def begin_now(self):
        """Begin to fetch the files of one phone, which may take PHONE_TIME."""
        self._fetcher.begin(self._clock.monotonic() + PHONE_TIME)

    def costs(self):
        """As of Fetcher."""
        return self._fetcher.costs()

    async def fetch(self, name, sink, limit, deadline=None, secure=False, judge=None):
        """As of Fetcher."""
        noting = _Noting(sink)
        try:
            fetched = await self._fetcher.fetch(name, noting, limit, deadline, secure, judge)
        except FetchError as error:
            if not isinstance(error, NotFound):
                self.failed[name] = str(error)
            raise
        self.got[name] = (bytes(noting.data), fetched.way, server_text(fetched.server))
        return fetched

    async def get(self, name, limit, secure=False):
        """The bytes of a file, not judged. FetchError."""
        await self.fetch(name, _Nowhere(), limit, secure=secure)
        return self.got[name][0]

    def close(self):
        """Close the sockets of finished transfers."""
        self._tftp.close()


class _Nowhere:
    def begin(self, size):
        pass

    def write(self, block):
        pass


class _Noting:
    """A sink that keeps a copy of the bytes and passes them to another sink."""

    def __init__(self, sink):
        self._sink = sink
        self.data = bytearray()

    def begin(self, size):
        """The file starts, maybe for a second time."""
        self.data = bytearray()
        self._sink.begin(size)

    def write(self, block):
        """A block of it."""
        self.data += block
        self._sink.write(block)


async def fetch_phone(files, device, limit, told=None, known=None):
    """Get what the phone `device` ("SEP00270DC01C92", or None: the cluster's lists alone) would ask for into `files`.got.

    Returns {name: "got", "not-found" or "failed"} for all names, also those after which a phone would stop. told(name, what)
    is called for each. known: {name: "got" or "not-found"} of names that were asked for already. After a failed file the
    others are still fetched; a server that does not answer at all is not asked again for this phone."""
    results, known = {}, known or {}
    files.begin_now()
    for names in _asked(device):
        for name in names:
            if name in known:
                if known[name] == "got":
                    break
                continue
            try:
                await files.get(name, limit, secure=".cnf.xml" in name)
                results[name] = "got"
            except NotFound:
                results[name] = "not-found"
            except FetchError:
                results[name] = "failed"
            if told:
                told(name, results[name])
            if results[name] == "got":
                break  # a phone asks for the next name of a row only if this one is missing
    return results


def _asked(device):
    """Rows of names; the phone takes the first file of each row that is there."""
    rows = []
    for kind in ("ctl", "itl"):
        own, shared = list_names(kind, device or "")
        rows += [(own,), (shared,)] if device else [(shared,)]
    if device:
        name = f"{device}.cnf.xml"
        rows += [(name + ".sgn", name), (f"{name}.enc.sgn",)]
    return rows + [("XMLDefault.cnf.xml.sgn", "XMLDefault.cnf.xml")]
