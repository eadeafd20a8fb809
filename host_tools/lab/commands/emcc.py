# SPDX-License-Identifier: MIT
"""`phonetrust lab emcc ...`: users of one cluster at phones of another (extension mobility across clusters)."""

from pathlib import Path
from typing import Annotated

import typer

from host_tools.lab.commands.parts import DEFAULT_CLUSTER, ClusterOption, JsonOption, LabGroup, YesOption, changed

app = typer.Typer(cls=LabGroup, no_args_is_help=True, help="Extension mobility across clusters.")


@app.command()
def login(
    mac: Annotated[str, typer.Argument(help="The MAC address of a phone of this cluster.")],
    other: Annotated[Path, typer.Argument(help="The folder of the user's own cluster.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Let a user of another cluster log in: the phone gets its configuration from there, signed by that cluster."""
    with changed(cluster, json, yes) as lab:
        lab.emcc_login(mac, other)


@app.command()
def logout(
    mac: Annotated[str, typer.Argument(help="The MAC address of the phone.")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Log the user out: the phone gets its own configuration again."""
    with changed(cluster, json, yes) as lab:
        lab.emcc_logout(mac)
