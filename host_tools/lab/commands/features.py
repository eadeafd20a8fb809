# SPDX-License-Identifier: MIT
"""`phonetrust lab report features`: the cluster's phone feature list."""

import json as json_text
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from host_tools.lab.commands.parts import DEFAULT_CLUSTER, ClusterOption, JsonOption, LabGroup
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.features import report
from host_tools.lab.writers.models import FEATURES

app = typer.Typer(cls=LabGroup, no_args_is_help=True, help="Reports on the cluster's phones.")


@app.callback()
def top():
    """Reports on the cluster's phones."""


@app.command()
def features(
    cluster: ClusterOption = DEFAULT_CLUSTER,
    feature: Annotated[
        str | None, typer.Option(help="One of " + ", ".join(FEATURES) + ": list phones that have it.")
    ] = None,
    json: JsonOption = False,
):
    """List which features each phone has: by what it asked the servers for (seen), else by its model.

    host_tools/lab/writers/models.json has the models; you may add lines.
    """
    if feature is not None and feature not in FEATURES:
        raise LabError(f"{feature!r} is no feature; these are: {', '.join(FEATURES)}")
    found = report(Cluster(cluster))
    if feature:
        found = {mac: phone for mac, phone in found.items() if phone["features"][feature]["supported"]}
    if json:
        typer.echo(json_text.dumps(found, indent=2))
        return
    wanted = [feature] if feature else list(FEATURES)
    table = Table("phone", "model", *wanted)
    for phone in found.values():
        cells = [_cell(phone["features"][each]) for each in wanted]
        table.add_row(phone["device"], phone["model"] or "unknown", *cells)
    Console(highlight=False, soft_wrap=True).print(table)


def _cell(state):
    word = {True: "yes", False: "no", None: "unknown"}[state["supported"]]
    return f"{word} (seen)" if state["by"] == "seen" else word
