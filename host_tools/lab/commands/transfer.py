# SPDX-License-Identifier: MIT
"""`phonetrust lab backup`, `restore` and `bulk-cert`: files that leave a cluster and come back."""

from pathlib import Path
from typing import Annotated

import typer

from host_tools.lab.commands.parts import (
    DEFAULT_CLUSTER,
    ClusterOption,
    JsonOption,
    LabGroup,
    PassphraseOption,
    YesOption,
    changed,
    report,
    tell,
)
from host_tools.lab.model.bulk import TYPES, consolidate
from host_tools.lab.model.cluster import Cluster

bulk = typer.Typer(
    cls=LabGroup, no_args_is_help=True, help="Exchange certificates with another cluster, as PKCS#12 files."
)
FolderArgument = Annotated[Path, typer.Argument(help="The folder to which all clusters export.")]
TypeOption = Annotated[
    list[str] | None,
    typer.Option("--type", help="TFTP, CAPF, Tomcat or ITLRecovery; may be given several times. Default: all."),
]


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    passphrase: PassphraseOption,
    cluster: ClusterOption = DEFAULT_CLUSTER,
):
    """Write the whole cluster, keys included, to one encrypted file."""
    Cluster(cluster).backup(file, passphrase)
    typer.echo(f"The backup is in {file}.")


def restore(
    file: Annotated[Path, typer.Argument(help="The file of a backup.")],
    passphrase: PassphraseOption,
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Bring the cluster back to its state at the backup. The folder may be new."""
    lab = Cluster(cluster)
    if lab.store.exists():
        with changed(cluster, json, yes) as lab:
            lab.restore(file, passphrase)
    else:
        lab.restore(file, passphrase)
        report(lab, json)


def reinstall(cluster: ClusterOption = DEFAULT_CLUSTER, json: JsonOption = False, yes: YesOption = False):
    """Install all servers anew, as after their loss: new keys, the same names, ports and phones; `restore` comes next."""
    with changed(cluster, json, yes) as lab:
        lab.reinstall()


@bulk.command("export")
def bulk_export(
    folder: FolderArgument,
    passphrase: PassphraseOption,
    cluster: ClusterOption = DEFAULT_CLUSTER,
    types: TypeOption = None,
):
    """Write this cluster's certificates, without keys, for another cluster's TVS; the folder stands for an SFTP server."""
    Cluster(cluster).bulk_export(folder, passphrase, types or TYPES)
    typer.echo(
        f"The certificates are in {folder}; after all clusters have exported theirs, use `bulk-cert consolidate`."
    )


@bulk.command("consolidate")
def bulk_consolidate(folder: FolderArgument, passphrase: PassphraseOption):
    """Make one file for each type from the clusters' exports in the folder; imports read these files."""
    for kind, count in consolidate(folder, passphrase).items():
        typer.echo(f"{kind}: {count} certificate{'s' if count > 1 else ''}")


@bulk.command("import")
def bulk_import(
    folder: FolderArgument,
    passphrase: PassphraseOption,
    cluster: ClusterOption = DEFAULT_CLUSTER,
    types: TypeOption = None,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Let this cluster's TVS vouch for the consolidated certificates; earlier imports stay."""
    with changed(cluster, json, yes) as lab:
        count = lab.bulk_import(folder, passphrase, types or TYPES)
        tell([f"New for TVS: {count} certificates of the folder."], json)
