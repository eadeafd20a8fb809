# SPDX-License-Identifier: MIT
"""The command line of the lab: `phonetrust lab ...`, or `python -m host_tools.lab ...`."""

from typing import Annotated

import typer

from host_tools.lab.cluster import Cluster
from host_tools.lab.command_parts import (
    DEFAULT_CLUSTER,
    ClusterOption,
    JsonOption,
    LabGroup,
    NodeOption,
    changed,
)
from host_tools.lab.command_serve import serve

app = typer.Typer(
    cls=LabGroup, no_args_is_help=True, rich_markup_mode="rich",
    help="A lab cluster in a folder: certificates, trust lists, configuration files, and the servers that hand them "
         "out.\n\nEach command that changes the cluster makes one new state of it; a running [bold]serve[/] hands it "
         "out at once. Orders that would lock phones out are allowed, and the lab says what they will do.")
app.command()(serve)


@app.command()
def init(
    cluster: ClusterOption = DEFAULT_CLUSTER,
    nodes: Annotated[int, typer.Option(min=1, max=8, help="Publisher and subscribers together.")] = 1,
    mixed_mode: Annotated[bool, typer.Option("--mixed-mode", help="Start in mixed mode, with a CTL.")] = False,
    signer: Annotated[str, typer.Option(help="Who signs the trust lists: callmanager, itlrecovery or etoken.")]
    = "callmanager",
    name: Annotated[str, typer.Option(help="The cluster's name; certificates carry it.")] = "lab",
    address: Annotated[str, typer.Option(help="The address or name under which phones reach the nodes.")]
    = "127.0.0.1",
    digest: Annotated[str, typer.Option(help="Digest of trust lists and signed files: sha1 (before 11.5) or sha512.")]
    = "sha512",
):
    """Make a new cluster with fresh keys."""
    made = Cluster.create(cluster, nodes, mixed_mode, signer, name, address, digest)
    typer.echo(f"Cluster {name} made in {made.path}: {nodes} node{'s' if nodes > 1 else ''}, "
               f"{'mixed mode' if mixed_mode else 'nonsecure'}, trust lists signed by {signer}.")


@app.command("add-phone")
def add_phone(
    mac: Annotated[str, typer.Argument(help="The phone's MAC address, such as 00270DC01C92.")],
    model: Annotated[str, typer.Option(help="The model, such as 8861.")] = "8861",
    cluster: ClusterOption = DEFAULT_CLUSTER,
):
    """Let the cluster know a phone, so that its TFTP servers have a configuration for it."""
    typer.echo(f"{Cluster(cluster).add_phone(mac, model)} has a configuration now.")


@app.command()
def regenerate(
    certificate: Annotated[str, typer.Argument(
        help="tftp (the CallManager certificate), tvs, tomcat, capf or itlrecovery.")],
    node: NodeOption = None,
    ca: Annotated[bool, typer.Option("--ca", help="Let a third-party CA issue the certificate.")] = False,
    json: JsonOption = False,
    cluster: ClusterOption = DEFAULT_CLUSTER,
):
    """Make a new key and certificate; ITLs are rebuilt and signed, TVS knows the new one and forgets the old one."""
    with changed(Cluster(cluster), json) as lab:
        lab.regenerate(certificate, node, ca)
