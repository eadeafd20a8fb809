# SPDX-License-Identifier: MIT
"""`phonetrust phone`: the agent on this PC, with the host's HAL."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from agent import settings as phone_settings
from agent.errors import SettingsError
from agent.main import Phone
from host_tools.cli import parts
from host_tools.cli.phone_console import LogConsole

#: Bytes of the file that stands for the flash; sparse, so only what is stored takes room.
FLASH_SIZE = 8 << 20


def phone(
    settings: Annotated[Path, typer.Option(metavar="FILE", help="The phone's settings, a JSON file.")] = Path(
        "phone.json"
    ),
    state: Annotated[Path, typer.Option(metavar="DIR", help="Where the phone keeps its flash.")] = Path("phone-state"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep running: answer the console and other programs.")
    ] = False,
    socket: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="With --serve: the Unix socket for other programs; see docs/service.md."),
    ] = None,
    mic: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The phone's maker-installed certificate (MIC) and key, PEM; default: none."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the status as JSON; the log goes to standard error.")
    ] = False,
):
    """Run a phone on this PC: boot, fetch the lists and the configuration, verify, ask TVS, enrol, store.

    The settings name at least the MAC address, and the TFTP servers: {"mac": "00270DC01C92", "tftp": ["192.0.2.10"]};
    with "file_transfer": "http" files come by HTTP and HTTPS where these servers offer it. See docs/phone.md.
    DIR keeps what the phone trusts, and the phone's own certificate (LSC) from CAPF with its key. Run the command again for
    the next boot; remove DIR for a phone fresh from the factory.

    Exit status: 0 everything was accepted, 1 something was refused or missing, 2 the settings or DIR cannot be used.
    """
    from hal.files import Files
    from hal.host import Board, Flash, Hal

    try:
        values = phone_settings.parse(parts.read(settings).decode("utf-8", "replace"), str(settings))
        maker = None if mic is None else read_mic(mic)
        state.mkdir(parents=True, exist_ok=True)
        flash = Flash(state / "flash", FLASH_SIZE)
        (state / "files").mkdir(exist_ok=True)
    except SettingsError as error:
        parts.leave(parts.CANNOT_TELL, str(error))
    except OSError as error:
        parts.leave(parts.CANNOT_TELL, f"{state}: {error.strerror or error}")
    console = LogConsole(sys.stderr if json else sys.stdout)
    files = Files(str(state.resolve() / "files"))
    published = publish_beside(socket) if serve and socket else None
    board = Board(values.mac, values.model)  # pyright: ignore[reportAttributeAccessIssue]
    hal = Hal(board=board, flash=flash, console=console, files=files, published=published)
    try:
        running = Phone(hal, values, origin=hal.clock.monotonic(), mic=maker, user=os.getuid(), group=os.getgid())
    except ValueError as error:
        parts.leave(parts.CANNOT_TELL, f"{mic}: this is not a MIC with its key: {error}")
    raise typer.Exit(parts.YES if asyncio.run(run(running, serve, socket, json)) else parts.NO)


async def run(running, serve, socket, json):
    """Boot the phone; with serve=True it then keeps running. Returns whether the first boot was good."""
    results = []

    def booted(good):
        results.append(good)
        if json:
            typer.echo(running.status_json())

    if serve:
        await running.run(listen(running.hal.net, socket) if socket else None, booted)
    else:
        booted(await running.boot())
    return bool(results and results[0])


def publish_beside(socket):
    """The folder of certificates beside the service's socket; ends the command with a sentence where it cannot be made."""
    from hal.files import Published

    folder = socket.resolve().parent / "certificates"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        parts.leave(parts.CANNOT_TELL, f"{socket}: cannot listen there: {error.strerror or error}")
    return Published(str(folder))


def listen(net, path):
    """The service's listener; ends the command with a sentence where it cannot listen there."""
    try:
        return net.listen_local(str(path))
    except OSError as error:
        parts.leave(parts.CANNOT_TELL, f"{path}: cannot listen there: {error.strerror or error}")


def read_mic(path):
    """(certificate DER, private key DER) of a PEM file; ends the command with a sentence where one of them is missing."""
    from agent.flash.identity import parse_pem

    try:
        return parse_pem(parts.read(path).decode("ascii", "replace"))
    except ValueError as error:
        parts.leave(parts.CANNOT_TELL, f"{path}: this is not a MIC with its key: {error}")


app = parts.single(phone)
