# SPDX-License-Identifier: MIT
"""`phonetrust fetch HOST --to DIR`: what phones would get from a server now, into a folder."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.errors import SettingsError
from agent.formats.text import SENTENCES_LIMIT, shown
from host_tools.cli import parts
from host_tools.live.fleet import Collector, Spool, Wanted
from host_tools.plan.fleet import FleetError, rows

MOST_TOLD = 100  # failures and bad rows that are told one by one


def fetch(
    host: Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="A TFTP server of the cluster.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where the files go; made where it is missing.")],
    mac: Annotated[
        str, typer.Option("--phone", metavar="MAC", help="Also fetch this phone's own lists and its configuration.")
    ] = "",
    fleet: Annotated[
        Path | None, typer.Option("--all", metavar="FLEET.csv", help="Do so for every phone of a fleet.")
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="With --all: how many phones at the same time.")] = 8,
    http: Annotated[bool, typer.Option("--http", help="Ask by HTTPS and HTTP first, as newer phones do.")] = False,
    http_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of HTTP.")] = 6970,
    https_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of HTTPS.")] = 6971,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Fetch what a phone would get: CTL, ITL and configuration, by the phone's own names, ways and limits.

    This command judges nothing; [bold]phonetrust preflight[/] and [bold]phonetrust plan[/] judge the folder.
    Without --phone and --all it fetches only the lists that all phones share. A file that the server does not have is not
    counted as a failure. If a server goes away, the files that came stay, and each phone that was left out is named.

    [bold]Examples[/]

      phonetrust fetch 192.0.2.10 --to now
      phonetrust fetch 192.0.2.10 --phone 00270DC01C92 --to now
      phonetrust fetch 192.0.2.10 --all fleet.csv --at-once 16 --to now
      phonetrust fetch 192.0.2.10 --http --to now

    [bold]Files[/]

    DIR gets the files by the names that phones ask for; files of the same names are replaced. FLEET.csv has a column device
    (SEP and the MAC address); docs/guide.md has the others.

    [bold]Exit status[/]

    0 all that is there was fetched, 1 some could not be (or a row of the fleet has a mistake), 2 no file came.
    """
    if mac and fleet:
        parts.leave(parts.CANNOT_TELL, "--phone and --all exclude each other: name one phone, or a fleet")
    mac = parts.mac_of(mac)
    values = {"file_transfer": "http", "http_port": http_port, "https_port": https_port} if http else {}
    bad = Spool()
    try:
        to.mkdir(parents=True, exist_ok=True)
        with _progress(fleet, json) as (told, ended):
            collector = Collector(host, to, values, at_once, told, ended)
            asyncio.run(collector.all(_phones(mac, fleet, bad)))
    except SettingsError as error:
        parts.leave(parts.CANNOT_TELL, str(error))
    except FleetError as error:
        parts.leave(parts.CANNOT_TELL, f"{fleet}: {error}")
    except OSError as error:
        parts.leave(parts.CANNOT_TELL, f"{error.filename or to}: {error.strerror or error}")
    if json:
        _print_json(host, collector, bad)
    else:
        _print(to, collector, bad)
    if not collector.got.count:
        raise typer.Exit(parts.CANNOT_TELL)
    raise typer.Exit(parts.NO if collector.failed.count or bad.count else parts.YES)


app = parts.single(fetch)


def _phones(mac, fleet, bad):
    """The phones to fetch for, one by one; rows with a mistake go to the Spool `bad`."""
    if not fleet:
        yield Wanted(mac)
        return
    for row in rows(fleet, bad.add):
        yield Wanted(row.device.removeprefix("SEP"), row.line)


@contextlib.contextmanager
def _progress(fleet, quiet):
    """(told(name, what), ended()): a bar on a terminal, a line for each file elsewhere, nothing with --json."""
    if quiet:
        yield (lambda name, what: None), (lambda: None)
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield (lambda name, what: None if what == "not-found" else typer.echo(f"{name} {what}")), (lambda: None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("fetching", total=_lines(fleet) if fleet else 1)
        yield (
            lambda name, what: progress.update(task, description=f"{name} {what}"),
            lambda: progress.advance(task),
        )


def _lines(fleet):
    """How many phones a fleet may have: its lines without the first, or None."""
    try:
        with open(fleet, "rb") as file:
            return max(1, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1)
    except OSError:
        return None


def _print(to, collector, bad):
    failed = f", {collector.failed.count} could not be fetched" if collector.failed.count else ""
    count = collector.got.count
    typer.echo(f"{parts.counted(count, 'file')} {'is' if count == 1 else 'are'} in {to}{failed}.")
    for spool, sentence in ((collector.failed, _failure), (bad, lambda line, text: f"line {line}: {text}")):
        for row in spool.rows(MOST_TOLD):
            typer.echo(f"phonetrust: {shown(sentence(*row), SENTENCES_LIMIT)}", err=True)
        if spool.count > MOST_TOLD:
            typer.echo(f"phonetrust: and {spool.count - MOST_TOLD} more; --json has them all", err=True)


def _failure(name, line, text):
    return f"{f'line {line}: ' if line else ''}{text if name in text else f'{name}: {text}'}"


def _print_json(host, collector, bad):
    """Print the document piece by piece, because it may be larger than the memory."""
    typer.echo(f'{{\n"server": {parts.json_text(host)},\n"files": {{', nl=False)
    _members((parts.json_text(name) + ": " + parts.json_text(got)) for name, got in collector.got.rows())
    typer.echo('},\n"failed": [', nl=False)
    _members(
        parts.json_text({"file": name, "line": line or None, "text": text})
        for name, line, text in collector.failed.rows()
    )
    typer.echo('],\n"bad_rows": [', nl=False)
    _members(parts.json_text({"line": line, "text": text}) for line, text in bad.rows())
    typer.echo("]\n}")


def _members(texts):
    for number, text in enumerate(texts):
        typer.echo(("," if number else "") + "\n" + text, nl=False)
