# SPDX-License-Identifier: MIT
"""`phonetrust lab serve`: run the servers until stopped, and print each request of a phone."""

import json as json_text
import signal
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from agent.formats.text import SENTENCES_LIMIT, shown
from host_tools.lab.commands.parts import DEFAULT_CLUSTER, ClusterOption, JsonOption
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import SERVICES, Cluster


def serve(
    cluster: ClusterOption = DEFAULT_CLUSTER,
    address: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        list[str] | None,
        typer.Option(
            help="A port to use: SERVICE=PORT for the publisher, or SERVICE@NODE=PORT. Default: the ports of the last "
            "run, or free ones. May be given several times."
        ),
    ] = None,
    log: Annotated[Path | None, typer.Option(help="Append each event to this file as a line of JSON.")] = None,
    tvs_only_verification: Annotated[
        bool,
        typer.Option("--tvs-only-verification", help="Let TVS close the connection on QUERY_CERT, as old servers do."),
    ] = False,
    tvs_ttl: Annotated[int, typer.Option(min=0, help="Seconds for which phones may keep TVS's answers.")] = 86400,
    ask_certificate: Annotated[
        bool,
        typer.Option("--ask-certificate", help="Let TLS servers ask phones for their certificate (LSC, else MIC)."),
    ] = False,
    sip: Annotated[
        bool,
        typer.Option(
            "--sip", help="Run a call manager (Kamailio, installed if it is missing) that phones register with."
        ),
    ] = False,
    json: JsonOption = False,
):
    """Run the servers of all nodes until Ctrl-C or SIGTERM.

    With --json the first line of output comes when all servers listen, and holds pid, address and ports; serving.json in
    the cluster's folder holds the same while they run. Then one line follows for each event.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    lab = Cluster(cluster)
    printing = threading.Lock()

    def show(event):
        with printing:
            typer.echo(json_text.dumps(event) if json else event_line(event))

    with lab.serve(
        address,
        ports=parse_ports(port or []),
        only_verification=tvs_only_verification,
        time_to_live=tvs_ttl,
        ask_certificate=ask_certificate,
        log_file=log,
        listener=show,
        sip=sip,
    ) as serving:
        with printing:
            typer.echo(json_text.dumps(serving.as_dict()) if json else ports_text(serving.as_dict()))
        stop.wait()


def parse_ports(texts):
    """{node: {service: port}} from ["tftp=69", "tvs@2=2445"]. LabError that names a wrong text."""
    ports = {}
    for text in texts:
        left, _equals, number = text.partition("=")
        service, _at, node = left.partition("@")
        if service not in SERVICES or not number.isdigit() or int(number) > 65535 or not (node or "1").isdigit():
            raise LabError(f"{text!r} is not SERVICE=PORT or SERVICE@NODE=PORT with one of {', '.join(SERVICES)}")
        ports.setdefault(int(node or 1), {})[service] = int(number)
    return ports


def ports_text(serving):
    """The ports for a person, one line for each node."""
    lines = [
        f"node {node}: " + ", ".join(f"{service} {port}" for service, port in services.items())
        for node, services in serving["nodes"].items()
    ]
    return "\n".join([f"Serving on {serving['address']}; stop with Ctrl-C.", *lines])


def event_line(event):
    """An event for a person: time, node, service, and what happened."""
    known = ("time", "node", "service", "what")
    details = " ".join(f"{name}={value}" for name, value in event.items() if name not in known and value != "")
    clock = time.strftime("%H:%M:%S", time.localtime(event["time"]))
    return shown(
        f"{clock} node {event['node']} {event['service']}: {event['what']} {details}".rstrip(), SENTENCES_LIMIT
    )
