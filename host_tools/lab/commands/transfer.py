# SPDX-License-Identifier: MIT
"""`phonetrust lab backup`, `restore` and `bulk-cert`: what leaves a cluster and comes back."""

from pathlib import Path
from typing import Annotated

import typer

from host_tools.lab.commands.parts import (
    DEFAULT_CLUSTER,
    ClusterOption,
    JsonOption,
    LabGroup,
    PassphraseOption,
    changed,
)
from host_tools.lab.model.cluster import Cluster

bulk = typer.Typer(
    cls=LabGroup, no_args_is_help=True, help="Exchange certificates with another cluster, as PKCS#12 files."
)
FolderArgument = Annotated[Path, typer.Argument(help="The folder with the consolidated files.")]


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
):
    """Make the cluster what it was at the backup. The folder may be new."""
    with changed(cluster, json) as lab:
        lab.restore(file, passphrase)


@bulk.command("export")
def bulk_export(folder: FolderArgument, passphrase: PassphraseOption, cluster: ClusterOption = DEFAULT_CLUSTER):
    """Write this cluster's TFTP, CAPF, Tomcat and ITLRecovery certificates, without keys, for another cluster's TVS."""
    Cluster(cluster).bulk_export(folder, passphrase)
    typer.echo(f"The certificates are in {folder}.")


@bulk.command("import")
def bulk_import(
    folder: FolderArgument,
    passphrase: PassphraseOption,
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
):
    """Let this cluster's TVS vouch for the certificates in the folder; what it had imported before stays."""
    with changed(cluster, json) as lab:
        count = lab.bulk_import(folder, passphrase)
        if not json:
            typer.echo(f"TVS vouches for {count} certificates of the folder.")
