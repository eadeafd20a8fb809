# SPDX-License-Identifier: MIT
"""`phonetrust lab itl ...` and `phonetrust lab ctl ...`: signing, resetting, updating, deleting."""

import enum
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
)
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.transfer import read_recovery

itl = typer.Typer(cls=LabGroup, no_args_is_help=True, help="Work on the ITL.")
ctl = typer.Typer(cls=LabGroup, no_args_is_help=True, help="Work on the CTL.")


class Which(enum.StrEnum):
    """The two keys of an ITL reset."""

    localkey = "localkey"
    remotekey = "remotekey"


@itl.command("reset")
def itl_reset(
    which: Annotated[Which, typer.Argument(help="localkey, or remotekey with an exported file.")],
    file: Annotated[Path | None, typer.Argument(help="The PKCS#12 file of export-recovery, for remotekey.")] = None,
    cluster: ClusterOption = DEFAULT_CLUSTER,
    passphrase: Annotated[
        str, typer.Option("--passphrase", envvar="PHONETRUST_LAB_PASSPHRASE", help="The passphrase of the file.")
    ] = "",
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Sign today's ITL with the ITLRecovery key, which phones have as SAST: the way out of most lockouts."""
    if (file is not None) != (which is Which.remotekey):
        raise LabError("remotekey needs the exported file, and localkey takes none")
    with changed(cluster, json, yes) as lab:
        lab.itl_reset(which.value, read_recovery(file, passphrase) if file else None)


@itl.command("sign")
def itl_sign(
    key: Annotated[str, typer.Argument(help="callmanager or itlrecovery; open: sast-1 or sast-2")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Sign ITLs with another key from now on."""
    with changed(cluster, json, yes) as lab:
        lab.itl_sign(key)


@itl.command("export-recovery")
def export_recovery(
    file: Annotated[Path, typer.Argument(help="The PKCS#12 file to write.")],
    passphrase: PassphraseOption,
    cluster: ClusterOption = DEFAULT_CLUSTER,
):
    """Write the ITLRecovery certificate and key to a file, for a later reset with remotekey."""
    Cluster(cluster).export_recovery(file, passphrase)
    typer.echo(f"The ITLRecovery key is in {file}.")


@ctl.command("update")
def ctl_update(cluster: ClusterOption = DEFAULT_CLUSTER, json: JsonOption = False, yes: YesOption = False):
    """Make a new CTL from today's certificates."""
    with changed(cluster, json, yes) as lab:
        lab.ctl_update()


@ctl.command("delete")
def ctl_delete(cluster: ClusterOption = DEFAULT_CLUSTER, json: JsonOption = False, yes: YesOption = False):
    """Take the CTL off the TFTP servers; phones that have one keep it."""
    with changed(cluster, json, yes) as lab:
        lab.ctl_delete()


@ctl.command("sign")
def ctl_sign(
    key: Annotated[str, typer.Argument(help="callmanager, itlrecovery, token-1 or token-2; open: sast-1 or sast-2")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Make a new CTL and sign it with another key from now on."""
    with changed(cluster, json, yes) as lab:
        lab.ctl_sign(key)
