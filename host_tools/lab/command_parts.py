# SPDX-License-Identifier: MIT
"""What the lab's commands share: common options, errors as one sentence, the report after a change."""

import contextlib
import json as json_text
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from host_tools.lab.errors import LabError

ClusterOption = Annotated[Path, typer.Option(
    "--cluster", "-C", envvar="PHONETRUST_LAB", show_default=True,
    help="The cluster's folder.")]
NodeOption = Annotated[int | None, typer.Option("--node", help="The node, 1 = publisher (which is meant if left out).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
DEFAULT_CLUSTER = Path("lab-cluster")


class LabGroup(TyperGroup):
    """A command group that says a LabError in one sentence and exits with 1."""

    def invoke(self, ctx):
        """Run the command; LabError and file errors become a sentence on standard error."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            typer.echo(f"phonetrust lab: {error}", err=True)
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            typer.echo(f"phonetrust lab: {what}{error.strerror or error}", err=True)
        raise typer.Exit(1)


@contextlib.contextmanager
def changed(cluster, json=False):
    """Run a change of `cluster` inside the with block and report which generation came out of it."""
    yield cluster
    number = cluster.state.number
    if json:
        typer.echo(json_text.dumps({"generation": number}))
    else:
        typer.echo(f"Done; the cluster is at state {number}.")
