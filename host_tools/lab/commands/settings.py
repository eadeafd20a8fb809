# SPDX-License-Identifier: MIT
"""`phonetrust lab set ...`: settings of the whole cluster."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from host_tools.image.errors import ImageError
from host_tools.lab.commands.parts import DEFAULT_CLUSTER, ClusterOption, JsonOption, LabGroup, YesOption, changed, tell
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster

EachNodeOption = Annotated[int | None, typer.Option("--node", help="The node; all of them if left out.")]
app = typer.Typer(cls=LabGroup, no_args_is_help=True, help="Change a setting of the cluster.")


class TrueFalse(enum.StrEnum):
    """The values of a parameter, as on the administrator's page."""

    true = "true"
    false = "false"


class Mode(enum.StrEnum):
    """The cluster security modes."""

    mixed = "mixed"
    nonsecure = "nonsecure"


@app.command()
def rollback(
    value: Annotated[TrueFalse, typer.Argument(help="true or false")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    node: EachNodeOption = None,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Prepare for rollback to before 8.0 (an ITL without TFTP and TVS certificates), or take it back; on each server.

    With restarts by hand it takes effect when TFTP is restarted there.
    """
    with changed(cluster, json, yes) as lab:
        lab.set_rollback(value is TrueFalse.true, node)


@app.command()
def restarts(
    how: Annotated[str, typer.Argument(help="automatic or by-hand")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Let services load a regenerated certificate at once, or only after `service restart`."""
    with changed(cluster, json, yes) as lab:
        lab.set_restarts(how)


@app.command()
def directory(
    which: Annotated[str, typer.Argument(help="corporate or personal")],
    url: Annotated[
        str, typer.Argument(help="Application:Cisco/CorporateDirectory, .../PersonalDirectory, or an http URL.")
    ],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Say where phones find a directory: their built-in application, or a URL for releases before 8.0 (`status` shows it)."""
    with changed(cluster, json, yes) as lab:
        lab.set_directory(which, url)


@app.command("secure-urls")
def secure_urls(
    how: Annotated[str, typer.Argument(help="https or http")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Give phones the URLs of secure services by HTTPS, or by HTTP where they cannot judge the server."""
    with changed(cluster, json, yes) as lab:
        lab.set_secure_urls(how)


@app.command("cluster-mode")
def cluster_mode(
    mode: Annotated[Mode, typer.Argument(help="mixed or nonsecure")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Switch the cluster security mode; a CTL for the new mode is made and handed out."""
    with changed(cluster, json, yes) as lab:
        tell(lab.set_cluster_mode(mode.value), json)


@app.command()
def address(
    value: Annotated[str, typer.Argument(help="The address or name by which phones reach the node.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    node: EachNodeOption = None,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Change the address that phones are given; ITLs and configuration files carry it."""
    with changed(cluster, json, yes) as lab:
        lab.set_address(value, node)


@app.command()
def capf(
    mac: Annotated[str, typer.Argument(help="The phone's MAC address.")],
    operation: Annotated[str, typer.Argument(help="install (or update), delete, fetch (troubleshoot) or none.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    authentication: Annotated[
        str, typer.Option(help="none, string, lsc (a phone without an LSC uses its MIC) or mic.")
    ] = "none",
    string: Annotated[str | None, typer.Option(help="The authentication string, 4 to 10 digits.")] = None,
    key: Annotated[
        str, typer.Option(help="rsa-1024, rsa-2048, rsa-3072, rsa-4096, ec-256, ec-384 or ec-521.")
    ] = "rsa-2048",
    retry_later: Annotated[
        int, typer.Option(min=0, help="Tell the phone to come back after so many seconds; 0: do not.")
    ] = 0,
    in_progress: Annotated[int, typer.Option(min=0, help="Say 'still at work' so many times before the LSC.")] = 0,
):
    """Say what CAPF does with a phone when it connects next."""
    Cluster(cluster).set_capf(mac, operation, authentication, string, key, retry_later, in_progress)
    typer.echo(f"CAPF will do this when the phone connects: {operation}.")


@app.command()
def load(
    mac: Annotated[str, typer.Argument(help="The phone's MAC address, or all.")],
    name: Annotated[
        str, typer.Argument(help="The load's name, such as phonetrust-rpi3-0.2.0; none: any load will do.")
    ],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    server: Annotated[str | None, typer.Option(help="Another server that has it, host or host:port.")] = None,
    json: JsonOption = False,
):
    """Say which load a phone shall run; the phone fetches it when it next reads its configuration."""
    with changed(cluster, json) as lab:
        lab.set_load(mac, "" if name == "none" else name, server)


@app.command()
def software(
    mac: Annotated[str, typer.Argument(help="The phone's MAC address, or all.")],
    name: Annotated[str, typer.Argument(help="The load that it runs, such as phonetrust-rpi3-0.2.0.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    floor: Annotated[
        str, typer.Option(help="The oldest version that it still takes (`image build --floor`).")
    ] = "0.0.0",
    key: Annotated[
        list[Path] | None, typer.Option(help="Certificate of an image key whose loads it takes; may be repeated.")
    ] = None,
):
    """Say what a phone runs now, so that the forecast knows what it will do about the load that is set for it."""
    from host_tools.image import keys

    try:
        certificates = [keys.load_certificate(path).der for path in key or []]
    except ImageError as error:
        raise LabError(str(error)) from error
    Cluster(cluster).set_software(mac, name, floor, certificates)
    typer.echo(f"Noted: {'all phones run' if mac == 'all' else f'{mac} runs'} {name}.")


@app.command("capf-servers")
def capf_servers(
    count: Annotated[int, typer.Argument(help="How many nodes, the publisher first; phones read up to five.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
):
    """Let several nodes run a CAPF server; configuration files name them in order."""
    Cluster(cluster).set_capf_servers(count)
    typer.echo(f"CAPF servers in the phones' configuration: {count}.")


@app.command("encrypted-configuration")
def encrypted_configuration(
    mac: Annotated[str, typer.Argument(help="The phone's MAC address.")],
    value: Annotated[TrueFalse, typer.Argument(help="true or false")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Switch encryption of a phone's configuration to its LSC (once CAPF has issued one)."""
    with changed(cluster, json, yes) as lab:
        lab.set_encrypted_configuration(mac, value is TrueFalse.true)
