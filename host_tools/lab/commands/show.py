# SPDX-License-Identifier: MIT
"""`phonetrust lab show itl|ctl` and `phonetrust lab status`."""

import json as json_text
import time

import typer
from rich.console import Console
from rich.table import Table

from host_tools.lab.commands import tables
from host_tools.lab.commands.parts import DEFAULT_CLUSTER, ClusterOption, JsonOption, LabGroup, NodeOption
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.writers import files
from host_tools.lab.writers.kinds import KINDS

app = typer.Typer(
    cls=LabGroup, no_args_is_help=True, help="Show a trust list the way a cluster's command line prints it."
)


@app.command()
def itl(cluster: ClusterOption = DEFAULT_CLUSTER, node: NodeOption = None, json: JsonOption = False):
    """Show the ITL that a node hands out."""
    _list(files.ITL_NAME, cluster, node, json)


@app.command()
def ctl(cluster: ClusterOption = DEFAULT_CLUSTER, node: NodeOption = None, json: JsonOption = False):
    """Show the CTL that a node hands out."""
    _list(files.CTL_NAME, cluster, node, json)


def status(cluster: ClusterOption = DEFAULT_CLUSTER, json: JsonOption = False):
    """Show what the cluster is: mode, nodes and ports, trust lists and their checksums, phones, registrations, certificates."""
    found = tables.status(Cluster(cluster))
    if json:
        typer.echo(json_text.dumps(found, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    running = f"serving, pid {found['running']['pid']}" if found["running"] else "not serving"
    console.print(
        f"Cluster {found['name']}, state {found['state']}: {found['kind']}, {found['mode']}, {found['digest']}, {running}"
    )
    console.print(f"{KINDS[found['kind']].said}.")
    switches = [name for name in ("pre8", "rollback", "autoregistration", "centralized_tftp") if found[name]]
    if switches:
        console.print("On: " + ", ".join(switches))
    for warning in found["warnings"]:
        console.print(f"Warning: {warning}", style="yellow")
    for node in found["nodes"]:
        console.print(f"\nNode {node['number']}, {node['name']} at {node['address']}")
        ports = ", ".join(f"{name} {port}" for name, port in node["ports"].items()) or "not served yet"
        stopped = f"; stopped: {', '.join(node['stopped'])}" if node["stopped"] else ""
        console.print(f"  ports: {ports}{stopped}")
        for kind in ("itl", "ctl"):
            if node[kind]:
                console.print(
                    f"  {kind.upper()}: {node[kind]['length']} bytes, MD5 {node[kind]['md5']}, SHA1 {node[kind]['sha1']}"
                )
    if found["phones"]:
        _print_phones(console, found["phones"])
    if found["registrations"]:
        _print_registrations(console, found["registrations"])
    _print_certificates(console, found["certificates"])


def _list(name, path, node, json):
    content = Cluster(path).published(name, node or 1)
    if content is None:
        raise LabError(f"the cluster has no {name[:3]}")
    typer.echo(json_text.dumps(tables.trust_list(content), indent=2) if json else tables.trust_list_text(name, content))


def _print_phones(console, phones):
    table = Table("phone", "model", "CAPF operation", "LSC", "encrypted configuration")
    for mac, phone in phones.items():
        table.add_row(f"SEP{mac}", phone["model"], phone["capf"], _yes(phone["lsc"]), _yes(phone["encrypted"]))
    console.print(table)


def _print_registrations(console, registrations):
    table = Table("registered", "node", "from", "by", "for another")
    for device, entry in registrations.items():
        certificate = entry["certificate"]
        shown = "TCP, no certificate"
        if certificate:
            issuer = certificate["issuer"].partition(",")[0].removeprefix("CN=")
            shown = f"TLS, certificate {certificate['serial']} of {issuer}"
        left = f"{max(0, round(entry['expires_at'] - time.time()))} s"
        table.add_row(device, str(entry["node"]), entry["client"], shown, left)
    console.print(table)


def _print_certificates(console, certificates):
    table = Table("certificate", "common name", "serial", "valid until", "SHA-256")
    for name, certificate in certificates.items():
        common_name = certificate["subject"].partition(",")[0].removeprefix("CN=")
        table.add_row(name, common_name, certificate["serial"], certificate["not_after"], certificate["sha256"][:16])
    console.print(table)


def _yes(value):
    return "yes" if value else "no"
