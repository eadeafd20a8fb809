# SPDX-License-Identifier: MIT
"""The command line of the lab: `phonetrust lab ...`, or `python -m host_tools.lab ...`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from host_tools.lab.commands import certificates, emcc, features, lists, releases, settings, show, transfer
from host_tools.lab.commands.parts import (
    DEFAULT_CLUSTER,
    ClusterOption,
    JsonOption,
    LabGroup,
    OnOff,
    YesOption,
    changed,
    report,
    report_moved,
)
from host_tools.lab.commands.serve import serve
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.writers import kinds

app = typer.Typer(
    cls=LabGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A lab cluster in a folder: certificates, trust lists, configuration files, and the servers that hand them "
    "out.\n\nEach command that changes the cluster makes one new state of it; a running [bold]serve[/] hands it "
    "out at once. Commands that lock phones out are allowed: the lab says what phones will do, by the "
    "phone's own rules.\n\nFirst steps: [bold]init[/], [bold]add-phone 00270DC01C92[/], [bold]serve[/].",
)


@app.command()
def init(
    cluster: ClusterOption = DEFAULT_CLUSTER,
    nodes: Annotated[int, typer.Option(min=1, max=8, help="Publisher and subscribers together.")] = 1,
    kind: Annotated[
        str,
        typer.Option(
            help="modern (ITLRecovery signs lists), classic (CallManager signs them), tokens (hardware tokens sign the "
            "CTL) or open (as the manual of the open tools has it)."
        ),
    ] = kinds.DEFAULT,
    mixed_mode: Annotated[
        bool | None,
        typer.Option(
            "--mixed-mode/--nonsecure", help="Start with a CTL, or without; the default is a CTL only for tokens."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="The cluster's name; certificates carry it.")] = "lab",
    address: Annotated[str, typer.Option(help="The address or name by which phones reach the nodes.")] = "127.0.0.1",
    digest: Annotated[
        str, typer.Option(help="Digest of trust lists and signed files: sha1 (old clusters) or sha512.")
    ] = "sha512",
    open_parts: Annotated[
        str | None,
        typer.Option(
            "--with",
            help="What an open cluster has besides one SAST key, with commas: sast2 (a second SAST key), files (a key that "
            "signs files), https (configuration by HTTPS), tvs.",
        ),
    ] = None,
    old_release: Annotated[
        str | None,
        typer.Option(help="Begin with a release before 8.0: its build, such as 007.001(003.21900.003)."),
    ] = None,
    engineering: Annotated[
        bool, typer.Option("--engineering-special", help="The old release is an engineering special.")
    ] = False,
):
    """Make a new cluster with fresh keys."""
    parts: dict[str, Any] = {} if open_parts is None else parse_parts(open_parts)
    if old_release is not None:
        parts |= {"old_release": old_release, "engineering": engineering}
    made = Cluster.create(cluster, nodes, mixed_mode, kind, name, address, digest, **parts)
    typer.echo(
        f"Cluster {name} made in {made.path}: {nodes} node{'s' if nodes > 1 else ''}, "
        f"{'mixed mode' if made.data['mixed'] else 'nonsecure'}; {kinds.KINDS[kind].said}."
    )


def parse_parts(text):
    """{part: value} from "sast2,https"; LabError for an unknown word."""
    words = text.split(",")
    unknown = [word for word in words if word not in ("sast2", "files", "https", "tvs")]
    if unknown:
        raise LabError(f"an open cluster has no {unknown[0]!r}; these are: sast2, files, https, tvs")
    return {"sast" if word == "sast2" else word: 2 if word == "sast2" else True for word in words}


@app.command("add-phone")
def add_phone(
    mac: Annotated[str, typer.Argument(help="The phone's MAC address, such as 00270DC01C92.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    model: Annotated[str, typer.Option(help="The model, such as 8861.")] = "8861",
    mic: Annotated[Path | None, typer.Option(help="The phone's own MIC, a PEM file, if CAPF shall know it.")] = None,
):
    """Add a phone to the cluster, so that its TFTP servers have a configuration for it."""
    name = Cluster(cluster).add_phone(mac, model, None if mic is None else mic.read_bytes())
    typer.echo(f"{name} has a configuration now.")


@app.command("add-file")
def add_file(
    file: Annotated[Path, typer.Argument(help="The file: a ring list, a locale, a firmware load.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    name: Annotated[
        str | None, typer.Option(help="Its name on the TFTP servers, such as New_Zealand/g3-tones.xml.")
    ] = None,
):
    """Hand out another file, plain and signed (with .sgn after its name)."""
    name = name or file.name
    Cluster(cluster).add_file(name, file.read_bytes())
    typer.echo(f"The TFTP servers have {name} and {name}.sgn.")


@app.command("add-load")
def add_load(
    file: Annotated[Path, typer.Argument(help="The load, NAME.sgn, as `phonetrust image build` made it.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
):
    """Hand out a firmware load as its maker signed it; `set load` says which phones are to run it."""
    name = Cluster(cluster).add_load(file)
    typer.echo(f"The TFTP servers have {name}.sgn. Phones run it after: set load all {name}")


@app.command("remove-file")
def remove_file(
    name: Annotated[str, typer.Argument(help="Its name on the TFTP servers.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
):
    """Stop handing out a file that was added."""
    Cluster(cluster).remove_file(name)
    typer.echo(f"The TFTP servers no longer have {name}.")


@app.command("make-mic")
def make_mic(
    mac: Annotated[str, typer.Argument(help="The phone's MAC address.")],
    file: Annotated[Path, typer.Argument(help="Where certificate and key go, as PEM.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
):
    """Make a manufacturer-installed certificate (MIC) for a known phone; the lab plays the manufacturer."""
    from host_tools.lab.model.transfer import write_private

    write_private(file, Cluster(cluster).make_mic(mac).pem())
    typer.echo(f"MIC and key are in {file}.")


@app.command()
def autoregistration(
    state: Annotated[OnOff, typer.Argument(help="on or off")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Switch autoregistration: phones that the cluster does not know get the default configuration."""
    with changed(cluster, json, yes) as lab:
        lab.set_autoregistration(state is OnOff.on)


@app.command("centralized-tftp")
def centralized_tftp(
    other: Annotated[Path | None, typer.Argument(help="The other cluster's folder; leave it out to stop.")] = None,
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Let this cluster's TFTP servers also hand out files that only another cluster has; trust lists stay its own."""
    with changed(cluster, json, yes) as lab:
        lab.set_centralized_tftp(other)


@app.command()
def forecast(
    cluster: ClusterOption = DEFAULT_CLUSTER,
    moved_from: Annotated[
        Path | None,
        typer.Option(help="Another cluster's folder: say what its phones decide when they are moved here."),
    ] = None,
    json: JsonOption = False,
):
    """Say what phones would decide if they restarted now. Exit status 1 when they would refuse something."""
    if moved_from is None:
        found = report(Cluster(cluster), json)
    else:
        found = report_moved(Cluster(cluster), Cluster(moved_from), json)
    raise typer.Exit(1 if any(item["outcome"] == "refused" for item in found) else 0)


@app.command("phones-restarted")
def phones_restarted(cluster: ClusterOption = DEFAULT_CLUSTER):
    """Tell the lab that all phones have been restarted; forecasts then start from the lists that they took."""
    Cluster(cluster).phones_restarted()
    typer.echo("Noted: phones hold what they accepted of the present state.")


app.command()(certificates.regenerate)
app.command("add-certificates")(certificates.add_certificates)
app.command()(certificates.service)
app.command()(releases.pre8)
app.command()(releases.upgrade)
app.command("switch-version")(releases.switch_version)
app.command()(serve)
app.command("status")(show.status)
app.add_typer(show.app, name="show")
app.add_typer(settings.app, name="set")
app.add_typer(lists.itl, name="itl")
app.add_typer(lists.ctl, name="ctl")
app.add_typer(transfer.bulk, name="bulk-cert")
app.command("backup")(transfer.backup)
app.command("restore")(transfer.restore)
app.command("reinstall")(transfer.reinstall)
app.add_typer(emcc.app, name="emcc")
app.add_typer(features.app, name="report")
