# SPDX-License-Identifier: MIT
"""What the lab's commands share: common options, errors as one sentence, the report after a change."""

import contextlib
import enum
import json as json_text
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.forecast import sentences

ClusterOption = Annotated[
    Path, typer.Option("--cluster", "-C", envvar="PHONETRUST_LAB", show_default=True, help="The cluster's folder.")
]
NodeOption = Annotated[int | None, typer.Option("--node", help="The node, 1 = publisher (which is meant if left out).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
PassphraseOption = Annotated[
    str,
    typer.Option(
        "--passphrase",
        envvar="PHONETRUST_LAB_PASSPHRASE",
        prompt=True,
        hide_input=True,
        help="The passphrase of the file; better given by the environment variable than on the command line.",
    ),
]
DEFAULT_CLUSTER = Path("lab-cluster")


class OnOff(enum.StrEnum):
    """What can be switched on and off."""

    on = "on"
    off = "off"


class LabGroup(TyperGroup):
    """A command group that says a LabError in one sentence and exits with 2: it cannot tell."""

    def invoke(self, ctx):
        """Run the command; LabError and file errors become a sentence on standard error."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            typer.echo(f"phonetrust lab: {error}", err=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            typer.echo(f"phonetrust lab: {what}{error.strerror or error}", err=True)
        raise typer.Exit(2)


@contextlib.contextmanager
def changed(path, json=False):
    """Run a change of the cluster in `path` inside the with block; then say what phones will do."""
    cluster = Cluster(path)
    yield cluster
    if not json:
        typer.echo(f"Done; the cluster is at state {cluster.state.number}.")
    report(cluster, json)


def report(cluster, json=False):
    """Print the forecast: JSON, or sentences, those about refusals marked as warnings. Returns it."""
    found = cluster.forecast()
    if json:
        typer.echo(json_text.dumps({"state": cluster.state.number, "forecast": found}, indent=2))
        return found
    if found:
        typer.echo("When phones restart now:")
    for warning, sentence in sentences(found):
        if warning:
            typer.secho(f"  Warning: {sentence}", fg=typer.colors.YELLOW)
        else:
            typer.echo(f"  {sentence}")
    return found
