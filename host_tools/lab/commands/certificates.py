# SPDX-License-Identifier: MIT
"""`phonetrust lab regenerate`, `add-certificates` and `service`: certificates, and the services that use them."""

from typing import Annotated

import typer

from host_tools.lab.commands.parts import (
    DEFAULT_CLUSTER,
    ClusterOption,
    JsonOption,
    NodeOption,
    YesOption,
    changed,
    tell,
)


def regenerate(
    certificate: Annotated[
        str,
        typer.Argument(help="tftp (the CallManager certificate), tvs, tomcat, capf or itlrecovery; open: sast-1, ..."),
    ],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    node: NodeOption = None,
    ca: Annotated[bool, typer.Option("--ca", help="Let a third-party CA issue the certificate.")] = False,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Make a new key and certificate; ITLs are rebuilt and signed, TVS learns the new certificate and forgets the old."""
    with changed(cluster, json, yes) as lab:
        tell(lab.regenerate(certificate, node, ca), json)


def add_certificates(
    count: Annotated[int, typer.Argument(help="How many; the ITL grows by about 1.6 KB each.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Put more certificates into the ITL, as more nodes would do, until it reaches the 64 KB that phones take."""
    with changed(cluster, json, yes) as lab:
        lab.add_certificates(count)


def service(
    action: Annotated[str, typer.Argument(help="restart, stop or start")],
    name: Annotated[
        str,
        typer.Argument(
            help="To restart: tvs, tftp, capf, tomcat. To stop or start: tvs, application, http, https, capf, directory."
        ),
    ],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    node: NodeOption = None,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Restart a service, so that it loads regenerated certificates (default: on all nodes); or stop or start it on a node.

    A running serve closes or opens the port of a service that is stopped or started.
    """
    if action not in ("restart", "stop", "start"):
        raise typer.BadParameter("say restart, stop or start", param_hint="ACTION")
    with changed(cluster, json, yes) as lab:
        if action == "restart":
            lab.restart(name, node)
        else:
            (lab.stop if action == "stop" else lab.start)(name, node or 1)
