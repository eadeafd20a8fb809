# SPDX-License-Identifier: MIT
"""phonetrust image: build a board's SD card image, and look into one."""

import json as json_text
import pathlib
import time
from typing import Annotated

import typer

from host_tools.image import board as boards
from host_tools.image import build as builder
from host_tools.image import key_commands, keys, load, settings
from host_tools.image.command_parts import mebibytes, plain_errors, steps
from host_tools.image.errors import ImageError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Images for SD cards: build one, look into one.")
MIB = 1 << 20
app.add_typer(key_commands.app, name="key")


@app.callback()
def group():
    """Images for SD cards."""


def default_image(name):
    """The file that a board's image is built to by default."""
    return boards.TOP / "build/image" / f"{name}.img"


@app.command()
@plain_errors
def build(
    board: Annotated[str, typer.Argument(help="A folder of boards/: rpi3, rpi4, qemu-virt.")],
    output: Annotated[pathlib.Path | None, typer.Option("--output", "-o", help="The image's file.")] = None,
    provision: Annotated[
        pathlib.Path | None,
        typer.Option(help="ITLFile.tlv to install at build time; the phone then takes no first list unchecked."),
    ] = None,
    ctl: Annotated[pathlib.Path | None, typer.Option(help="CTLFile.tlv to install with it.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting for phone.json; may be repeated.")
    ] = None,
    key: Annotated[
        pathlib.Path | None,
        typer.Option(help="Folder of the image key that signs (`image key new`); default: a development key."),
    ] = None,
    spare: Annotated[
        pathlib.Path | None,
        typer.Option(help="Certificate of a second key whose loads the phone takes, so that keys can be changed."),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Version of the load, like 0.2.1; default: that of this source.")
    ] = None,
    floor: Annotated[
        str, typer.Option(help="The oldest version that phones with this image still take as a load.")
    ] = load.FLOOR,
    program: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER|PACKAGE",
            help="A program beside the agent: a folder with an executable `start`, or a package of the board's suite; its "
            "libraries come with it. May be repeated.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Build an image for a card, and the load (NAME.sgn) with which phones update themselves to the same software."""
    begun = time.monotonic()
    described = boards.load(board)
    target = output or default_image(board)
    content = builder.Content(settings.from_words(set_ or []), version=version, floor=floor, programs=program or [])
    content.key = keys.load(key) if key else keys.development(boards.TOP)
    content.spare = keys.load_certificate(spare) if spare else None
    if ctl and not provision:
        raise ImageError("--ctl goes with --provision: without an ITL the phone would take its first ITL unchecked")
    if provision:
        content.store = _store(described, provision, ctl)
        content.settings.setdefault("policy", "provisioned-only")
    with steps() as report:
        built = builder.build(described, boards.TOP, target, content, report)
    seconds = round(time.monotonic() - begun, 1)
    size = target.stat().st_size
    if json:
        facts = {
            "image": str(target), "board": board, "version": built.facts.software, "bytes": size, "seconds": seconds,
            "load": str(built.load), "contents": str(built.contents), "development": built.development,
        }  # fmt: skip
        typer.echo(json_text.dumps(facts))
        return
    software = built.facts.software
    typer.echo(f"{target}: {described.board.title}, phonetrust {software}, {mebibytes(size)}, in {seconds} s")
    typer.echo(f"{built.load}: the same as a load, {mebibytes(built.load.stat().st_size)}")
    typer.echo(f"{built.contents}: what is inside, with versions and licences")
    if built.development:
        typer.echo(
            "signed with the development key of this source tree: make a key for real phones with `image key new`"
        )


def _store(described, itl, ctl):
    from hal.host import crypto  # it takes a while to load; no other command needs it
    from host_tools.image import provision

    return provision.trust_store(described.image.store_mib * MIB, itl, ctl, crypto())


@app.command()
@plain_errors
def inspect(
    file: Annotated[pathlib.Path, typer.Argument(help="An image, a card's device, or a load (NAME.sgn).")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Show what an image, a card or a load holds: slots with their versions and signatures, settings, partitions, files."""
    from host_tools.image import inspection

    facts = inspection.examine(file, boards.TOP)
    typer.echo(json_text.dumps(facts) if json else "\n".join(inspection.lines(facts)))


if __name__ == "__main__":
    app()
