# SPDX-License-Identifier: MIT
"""`phonetrust fetch HOST --to DIR`: what phones would get from a server now, into a folder."""

import asyncio
import sys
import typing
from pathlib import Path
from typing import Annotated

import typer

from agent.errors import SettingsError
from agent.formats.text import SENTENCES_LIMIT, shown
from agent.settings import Settings
from host_tools.cli import parts
from host_tools.plan.fleet import FleetError, rows

NOBODY = "000000000000"
FILE_LIMIT = 1 << 20


def fetch(
    host: Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="A TFTP server of the cluster.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where the files go; made where it is missing.")],
    mac: Annotated[
        str, typer.Option("--phone", metavar="MAC", help="With the own lists and the configuration of this phone.")
    ] = "",
    fleet: Annotated[
        Path | None, typer.Option("--all", metavar="FLEET.csv", help="The same for every phone of a fleet.")
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="With --all: phones that are fetched for at once.")] = 8,
    http: Annotated[bool, typer.Option("--http", help="By HTTPS and HTTP first, as newer phones do.")] = False,
    http_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of HTTP.")] = 6970,
    https_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of HTTPS.")] = 6971,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Fetch what a phone would get: CTL, ITL and configuration, by the phone's own names, ways and limits.

    Nothing is believed and nothing is judged; [bold]phonetrust preflight[/] and [bold]phonetrust plan[/] judge the folder.
    A file that a server has under none of the names is no failure.

    Exit status: 0 all that is there was fetched, 1 some could not be, 2 no file came.
    """
    macs = [mac] if mac else []
    values = {"file_transfer": "http", "http_port": http_port, "https_port": https_port} if http else {}
    wanted = _Wanted(host, to, values, json, at_once)
    try:
        to.mkdir(parents=True, exist_ok=True)
        asyncio.run(wanted.all(_devices(macs, fleet, wanted)))
    except SettingsError as error:
        parts.leave(parts.CANNOT_TELL, str(error))
    except FleetError as error:
        parts.leave(parts.CANNOT_TELL, f"{fleet}: {error}")
    except OSError as error:
        parts.leave(parts.CANNOT_TELL, f"{to}: {error.strerror or error}")
    if json:
        parts.print_json({"server": host, "files": wanted.got, "failed": wanted.failed, "bad_rows": wanted.bad})
    else:
        failed = f", {len(wanted.failed)} could not be fetched" if wanted.failed else ""
        typer.echo(f"{len(wanted.got)} files are in {to}{failed}.")
        for text in (*wanted.failed.values(), *wanted.bad):
            typer.echo(f"phonetrust: {shown(text, SENTENCES_LIMIT)}", err=True)
    if not wanted.got:
        raise typer.Exit(parts.CANNOT_TELL)
    raise typer.Exit(parts.NO if wanted.failed or wanted.bad else parts.YES)


app = parts.single(fetch)


def _devices(macs, fleet, wanted):
    """MAC addresses, one by one; rows with a mistake are noted."""
    yield from macs or ([] if fleet else [None])
    if fleet:
        for row in rows(fleet, wanted.bad_row):
            yield row.device.removeprefix("SEP")


class _Wanted:
    """What is fetched, written and told."""

    def __init__(self, host, to, values, quiet, at_once):
        self._host = host
        self._to = to
        self._values = values
        self._quiet = quiet
        self._at_once = at_once
        self.got = {}
        self.failed = {}
        self.bad = []
        self._gone = False

    def bad_row(self, line, text):
        """A row of the fleet with a mistake."""
        self.bad.append(f"line {line}: {text}")

    async def all(self, macs):
        """Fetch for all, a bounded number at once."""
        from hal.host import Hal

        hal = Hal()

        async def work():
            for mac in macs:
                if self._gone:
                    self.failed[f"SEP{mac}"] = f"SEP{mac}: not asked for, the server has stopped answering"
                else:
                    await self._one(hal, mac)

        macs = iter(macs)
        await asyncio.gather(*(work() for _ in range(self._at_once)))

    async def _one(self, hal, mac):
        from host_tools.live.files import LiveFiles, fetch_phone

        values: dict[str, typing.Any] = {"mac": mac or NOBODY, "tftp": [self._host], **self._values}
        settings = Settings(values, "HOST or --phone")
        device = settings.device if mac else None
        files = LiveFiles(hal, settings)
        try:
            await fetch_phone(files, device, FILE_LIMIT, self._told, self.got)
        finally:
            files.close()
        self.failed.update(files.failed)
        self._gone = self._gone or (bool(files.failed) and not files.got)
        for name, (content, way, server) in files.got.items():
            (self._to / name).write_bytes(content)
            self.got[name] = {"bytes": len(content), "way": way, "server": server}

    def _told(self, name, what):
        if not self._quiet and what != "not-found":
            typer.echo(f"{name} {what}", err=sys.stdout.isatty())
