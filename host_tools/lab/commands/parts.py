# SPDX-License-Identifier: MIT
"""What the lab's commands share: common options, errors as one sentence, the report after a change."""

import contextlib
import enum
import json as json_text
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from host_tools.lab.errors import LabError
from host_tools.lab.model.advice import lockouts
from host_tools.lab.model.certificates import after_restarts, pending
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.model.forecast import forecast, moved, sentences, services

ClusterOption = Annotated[
    Path, typer.Option("--cluster", "-C", envvar="PHONETRUST_LAB", show_default=True, help="The cluster's folder.")
]
NodeOption = Annotated[int | None, typer.Option("--node", help="The node; 1 is the publisher and the default.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
PassphraseOption = Annotated[
    str,
    typer.Option(
        "--passphrase",
        envvar="PHONETRUST_LAB_PASSPHRASE",
        prompt=True,
        hide_input=True,
        help="The passphrase of the file; safer in the environment variable than on the command line.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask, even where phones would be locked out.")]
DEFAULT_CLUSTER = Path("lab-cluster")


class OnOff(enum.StrEnum):
    """On and off."""

    on = "on"
    off = "off"


class LabGroup(TyperGroup):
    """A command group that prints a LabError as one sentence and exits with status 2."""

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
def changed(path, json=False, yes=False):
    """Run a change of the cluster in `path` inside the with block; then say what phones will do.

    The change is committed after the forecast of lockouts. If it would lock phones out, the person is asked first; `yes`
    answers in advance.
    """
    cluster = Cluster(path)
    with cluster.proposal() as proposed:
        yield cluster
    ask_before_lockout(lockouts(cluster, proposed.base, proposed.state), json, yes)
    cluster.accept(proposed)
    if not json:
        typer.echo(f"Done; the cluster is at state {cluster.state.number}.")
    report(cluster, json)


def ask_before_lockout(found, json, yes):
    """Ask before a step that locks phones out; `yes` answers in advance. LabError after a no, and with `json`."""
    if not found or yes:
        return
    if json:
        raise LabError(
            "this would lock phones out: " + "; ".join(text for _, text in sentences(found)) + " (--yes does it)"
        )
    typer.echo("This would lock phones out when they restart:", err=True)
    for _warning, sentence in sentences(found):
        typer.secho(f"  {sentence}", fg=typer.colors.YELLOW, err=True)
    typer.echo("Do it all the same? [y/N] ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        typer.echo(err=True)  # there is no terminal: end the line of the question
    if answer.strip().lower() not in ("y", "yes"):
        raise LabError("nothing was changed; --yes does it without asking")


def tell(notes, json):
    """Sentences for the administrator; on standard error where JSON is printed."""
    for note in notes:
        typer.echo(note, err=json)


def report(cluster, json=False):
    """Print the forecast as JSON, or as sentences with refusals marked as warnings. Returns it."""
    state = cluster.state
    found = cluster.forecast()
    servers = services(cluster)
    waiting = pending(state)
    later = forecast(cluster, after_restarts(state)) if waiting else []
    if json:
        told = {"forecast": found, "services": servers, "pending": waiting, "after_restarts": later}
        typer.echo(json_text.dumps({"state": state.number, **told}, indent=2))
        return found
    _print("When phones restart now:", found)
    _print("The servers that they then connect to:", [item for item in servers if item["outcome"] == "refused"])
    for item in waiting:
        typer.echo(f"Not restarted yet: {item['service']} of node {item['node']} ({', '.join(item['waiting'])}).")
    _print("When these services have been restarted, and then the phones:", later)
    return found


def report_moved(cluster, old, json=False):
    """Print what phones of the cluster `old` will do when they are moved to this one. Returns it."""
    found = moved(cluster, old)
    if json:
        typer.echo(json_text.dumps({"state": cluster.state.number, "forecast": found}, indent=2))
    else:
        _print("When phones of the other cluster are moved here and restart:", found)
    return found


def _print(title, found):
    if found:
        typer.echo(title)
    for warning, sentence in sentences(found):
        if warning:
            typer.secho(f"  Warning: {sentence}", fg=typer.colors.YELLOW)
        else:
            typer.echo(f"  {sentence}")
