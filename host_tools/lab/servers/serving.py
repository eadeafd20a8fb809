# SPDX-License-Identifier: MIT
"""The servers of a cluster's nodes, started and stopped together, each following the cluster's current generation."""

import contextlib
import json
import os
import threading
from pathlib import Path

from cryptography import x509

from agent.errors import Refused
from host_tools.lab.errors import LabError
from host_tools.lab.model import forecast
from host_tools.lab.model.parameters import MOST_CAPF_SERVERS
from host_tools.lab.servers import capf as capf_server
from host_tools.lab.servers import tvs as tvs_server
from host_tools.lab.servers import web as web_server
from host_tools.lab.servers.events import EventLog
from host_tools.lab.servers.sip import SipServer
from host_tools.lab.servers.stream import StreamServer
from host_tools.lab.servers.tftp import TftpServer
from host_tools.lab.writers import files, kinds
from host_tools.lab.writers.publish import unsigned

WATCH = 0.2  # seconds between checks which services the state wants stopped
LOADED_BY = {"callmanager-ec": "tftp"}  # certificate -> the service that has loaded it, where its name differs
CONFIGURATION = ".cnf.xml.sgn"
REMEMBERED = 100  # verdicts on lists


class Serving:
    """The running servers of `cluster`, bound to `address`. A context manager; close() ends it.

    Ports: the ones in `ports`, {node: {service: port}}, else those used last time if they are free, else free ones.
    They are recorded in the cluster, whose configuration files name them, and in serving.json in its folder.
    `only_verification` makes TVS an old server that closes on QUERY_CERT; `time_to_live` is TVS's, in seconds;
    with `ask_certificate` TLS servers ask phones for their certificate; `listener` is called with each event;
    with `sip` each node has a call manager (Kamailio) that phones register with: registrations.json lists these phones.
    """

    def __init__(
        self,
        cluster,
        address="127.0.0.1",
        ports=None,
        only_verification=False,
        time_to_live=86400,
        ask_certificate=False,
        log_file=None,
        listener=None,
        sip=False,
    ):
        self.cluster = cluster
        self.address = address
        self._only_verification = only_verification
        self._time_to_live = time_to_live
        self._ask_certificate = ask_certificate
        self._sip = sip
        self._registered = None
        self._registering = threading.Lock()
        self.events = EventLog(log_file, listener)
        self._servers = {}
        self._taken = {}  # (lists of a phone, new list) -> whether the phone takes it
        self._closed = threading.Event()
        try:
            for number in range(1, len(cluster.data["nodes"]) + 1):
                wanted = {**cluster.node(number)["ports"], **(ports or {}).get(number, {})}
                fixed = (ports or {}).get(number, {})
                for service, start in self._starters(number).items():
                    self._servers[number, service] = self._start(start, wanted.get(service, 0), service in fixed)
            cluster.set_ports(
                {
                    number: {
                        service: server.port for (owner, service), server in self._servers.items() if owner == number
                    }
                    for number, _service in self._servers
                }
            )
            self._follow_services()
            self._write_ports()
        except BaseException:
            self.close()
            raise
        self._watcher = threading.Thread(target=self._watch, daemon=True, name="lab watcher")
        self._watcher.start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def port(self, service, node=1):
        """The port of a node's service: "tftp", "tvs", ... LabError where it has none."""
        server = self._servers.get((node, service))
        if server is None:
            raise LabError(f"node {node} has no {service} server")
        return server.port

    def tftp_port(self, node=1):
        """The port of a node's TFTP server."""
        return self.port("tftp", node)

    def tvs_port(self, node=1):
        """The port of a node's TVS server; also while it is stopped."""
        return self.port("tvs", node)

    def stop_tvs(self, node=1):
        """Take a node's TVS down: its port is closed when this returns."""
        self.cluster.stop("tvs", node)
        self._follow_services()

    def start_tvs(self, node=1):
        """Bring a node's TVS back on the same port."""
        self.cluster.start("tvs", node)
        self._follow_services()

    def close(self):
        """Stop all servers and remove serving.json."""
        self._closed.set()
        for server in self._servers.values():
            server.close()
        self.events.close()
        if self._registered is not None:
            registrations_file(self.cluster).unlink(missing_ok=True)
        with contextlib.suppress(OSError, ValueError):
            if json.loads(self.ports_file.read_text())["pid"] == os.getpid():
                self.ports_file.unlink()

    @property
    def ports_file(self):
        """The file in which scripts find pid, address and ports of the running servers."""
        return Path(self.cluster.path) / "serving.json"

    def as_dict(self):
        """Pid, address and ports, as written to serving.json."""
        nodes = {}
        for (number, service), server in self._servers.items():
            nodes.setdefault(str(number), {})[service] = server.port
        return {"pid": os.getpid(), "address": self.address, "nodes": nodes}

    def _starters(self, number):
        """{service: function(port) -> server} of one node."""
        has = kinds.node_kinds(self.cluster.data)
        starters = {
            "tftp": lambda port: self._tftp(number, port),
            "application": lambda port: self._stream(number, port, "application", "tomcat", self._serve_application),
            "http": lambda port: self._stream(number, port, "http", None, self._serve_files),
            "directory": lambda port: self._stream(number, port, "directory", None, self._serve_application),
        }
        if "tvs" in has:
            starters["tvs"] = lambda port: self._stream(number, port, "tvs", "tvs", self._serve_tvs)
        if "callmanager-ec" in has:
            starters["https"] = lambda port: self._stream(number, port, "https", "callmanager-ec", self._serve_files)
        if number <= MOST_CAPF_SERVERS:
            starters["capf"] = lambda port: self._stream(number, port, "capf", "capf", self._serve_capf)
        if self._sip:
            starters["sip"] = lambda port: SipServer(
                self.cluster,
                number,
                self.address,
                port,
                lambda what, **details: self._on_sip(number, what, details),
            )
        return starters

    @property
    def registrations(self):
        """{device: {"node", "client", "expires_at", "transport", "certificate"}} of the phones that are registered."""
        return {
            device: {"node": number, **found}
            for (number, service), server in list(self._servers.items())
            if service == "sip"
            for device, found in server.registrations.items()
        }

    def _start(self, start, port, fixed):
        try:
            return start(port)
        except LabError:
            if fixed or port == 0:
                raise
            return start(0)  # another program has taken last time's port

    def _tftp(self, number, port):
        def on_request(name, found, client):
            self.events.add("tftp", number, "fetch", file=name, found=found is not None, client=client)
            self._note_holdings("tftp", name, client, found)

        return TftpServer(self.address, port, lambda name: self.cluster.handed_out(name, number), on_request)

    def _stream(self, number, port, service, kind, serve):
        """A server of `service` that shows the node's certificate `kind` (None: no TLS) and calls serve(node, ...)."""
        identity = None if kind is None else (lambda: self._shown(kind, number))
        return StreamServer(
            self.address,
            port,
            f"{service} of node {number}",
            identity,
            lambda stream, client: serve(number, service, stream, client),
            lambda client, text: self.events.add(service, number, "failed connection", client=client, text=text),
            self._phone_authorities,
        )

    def _shown(self, kind, number):
        """The Identity that a node's service has loaded and shows."""
        name = kinds.identity_name(kind, number)
        return self.cluster.state.loaded(LOADED_BY.get(kind, kind), number, name)

    def _phone_authorities(self):
        """The issuers of phones' certificates, as PEM, if phones are asked for certificates."""
        return self.cluster.phone_authorities() if self._ask_certificate else ()

    def _serve_tvs(self, number, service, stream, client):
        def on_answer(details):
            self.events.add(service, number, **details, client=client, **phone_shown(stream))
            self.cluster.holdings.asked_tvs(details.get("device", ""))

        tvs_server.answer_stream(
            stream,
            self.cluster.vouches_for,
            on_answer,
            self._time_to_live,
            self._only_verification or kinds.is_open(self.cluster.data),
        )

    def _serve_capf(self, number, service, stream, client):
        def on_event(what, **details):
            self.events.add(service, number, what, **details, client=client)

        capf_server.answer_stream(stream, self.cluster, on_event)

    def _serve_application(self, number, service, stream, client):
        web_server.answer_stream(stream, client, web_server.application, self._on_request(number, service, client))

    def _serve_files(self, number, service, stream, client):
        def find(path):
            name = path.removeprefix("/")
            if service == "https" and name.endswith(CONFIGURATION):
                return self._unsigned(name, number)
            return _octets(self.cluster.handed_out(name, number))

        web_server.answer_stream(stream, client, find, self._on_request(number, service, client))

    def _unsigned(self, name, number):
        """Port 6971's answer for a signed configuration: the file without its signature, as phones believe the server."""
        file = self.cluster.handed_out(name, number)
        if file:
            return _octets(unsigned(file))
        return _octets(self.cluster.handed_out(name.removesuffix(".sgn"), number))  # a cluster that signs no files

    def _on_request(self, number, service, client):
        def on_request(path, found):
            self.events.add(service, number, "fetch", file=path, found=found, client=client)
            name = path.removeprefix("/")
            self._note_holdings(service, name, client, self.cluster.handed_out(name, number))

        return on_request

    def _note_holdings(self, service, name, client, content):
        """Keep the ledger of what phones hold, for forecasts; a list that cannot be judged does not change it."""
        host = client.rpartition(":")[0]
        self.cluster.holdings.asked(service, host, name)

        def decide(kind, content, itl, ctl):
            state = self.cluster.state
            case = (state.number, kind, content, itl, ctl)
            if case not in self._taken:  # most phones hold the same lists
                if len(self._taken) >= REMEMBERED:
                    self._taken.clear()
                self._taken[case] = forecast.takes(state, self.cluster.vouches_for(state), kind, content, itl, ctl)
            return self._taken[case]

        with contextlib.suppress(Refused, LabError, OSError):
            self.cluster.holdings.fetched(host, name, content, decide)

    def _follow_services(self):
        """Close and open the ports of services as the state says."""
        data = self.cluster.data
        for (number, service), server in list(self._servers.items()):
            if not isinstance(server, (StreamServer, SipServer)) or number > len(data["nodes"]):
                continue
            stopped = service in data["nodes"][number - 1]["stopped"] or _is_off(data, number, service)
            if stopped and server.running:
                server.stop()
                self.events.add(service, number, "stopped")
            elif not stopped and not server.running:
                server.start()
                self.events.add(service, number, "started")
            if isinstance(server, SipServer) and server.follow():
                self.events.add(service, number, "restarted")
        self._write_registrations()

    def _on_sip(self, number, what, details):
        self._write_registrations()
        self.events.add("sip", number, what, **details)

    def _write_registrations(self):
        if not self._sip:
            return
        with self._registering:
            found = self.registrations
            if found != self._registered:
                replace_json(registrations_file(self.cluster), found)
                self._registered = found

    def _watch(self):
        while not self._closed.wait(WATCH):
            with contextlib.suppress(LabError):  # the folder is being replaced; the next check sees it whole
                self._follow_services()

    def _write_ports(self):
        replace_json(self.ports_file, self.as_dict())


def _octets(file):
    """An HTTP server's answer for a file, given as bytes or path; None for a missing file."""
    return file and ("application/octet-stream", file if isinstance(file, bytes) else file.read_bytes())


def registrations_file(cluster):
    """The file in which a cluster's servers list registered phones; `lab status` reads it."""
    return Path(cluster.path) / "registrations.json"


def replace_json(path, value):
    """Write `value` as the whole of a file, in one step."""
    building = path.with_suffix(".new")
    building.write_text(json.dumps(value) + "\n")
    os.replace(building, path)


def _is_off(data, number, service):
    """Whether this node of such a cluster does not run the service at all."""
    if service == "tvs":
        return not kinds.has_tvs(data)
    if service == "https":  # phones ask there where the ITL has SIGNERVERSION 1.1 and names the server
        return data["pre8"] or not kinds.knows_ec(data) or data["nodes"][number - 1]["rollback_active"]
    return service == "capf" and number > data["capf_servers"]


def phone_shown(stream):
    """{"phone": the subject of the certificate that the phone showed, "phone_issuer": its issuer}, or {} for none."""
    shown = stream.getpeercert(True)
    if not shown:
        return {}
    certificate = x509.load_der_x509_certificate(shown)
    return {"phone": files.name_text(certificate.subject), "phone_issuer": files.name_text(certificate.issuer)}
