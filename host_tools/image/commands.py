# SPDX-License-Identifier: MIT
"""phonetrust image: build a board's SD card image, and look into one."""

import json as json_text
import pathlib
import time
from typing import Annotated

import typer

from host_tools.image import board as boards
from host_tools.image import build as builder
from host_tools.image import fat, layout, settings
from host_tools.image.command_parts import mebibytes, plain_errors, steps
from host_tools.image.errors import ImageError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Images for SD cards: build one, look into one.")
MIB = 1 << 20


@app.callback()
def group():
    """Images for SD cards."""


def default_image(name):
    """Where a board's image is built unless said otherwise."""
    return boards.TOP / "build/image" / f"{name}.img"


@app.command()
@plain_errors
def build(
    board: Annotated[str, typer.Argument(help="A folder of boards/: rpi3, rpi4, qemu-virt.")],
    output: Annotated[pathlib.Path | None, typer.Option("--output", "-o", help="The image's file.")] = None,
    provision: Annotated[
        pathlib.Path | None,
        typer.Option(help="ITLFile.tlv to install at build time; the phone then takes no first list on faith."),
    ] = None,
    ctl: Annotated[pathlib.Path | None, typer.Option(help="CTLFile.tlv to install with it.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting for phone.json; may be repeated.")
    ] = None,
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
    """Build the image that a card is written with."""
    begun = time.monotonic()
    described = boards.load(board)
    target = output or default_image(board)
    content = builder.Content(settings.from_words(set_ or []), programs=program or [])
    if ctl and not provision:
        raise ImageError("--ctl goes with --provision: without an ITL the phone would take its first one on faith")
    if provision:
        content.store = _store(described, provision, ctl)
        content.settings.setdefault("policy", "provisioned-only")
    with steps() as report:
        version = builder.build(described, boards.TOP, target, content, report)
    seconds = round(time.monotonic() - begun, 1)
    size = target.stat().st_size
    if json:
        facts = {"image": str(target), "board": board, "version": version, "bytes": size, "seconds": seconds}
        typer.echo(json_text.dumps(facts))
    else:
        typer.echo(f"{target}: {described.board.title}, phonetrust {version}, {mebibytes(size)}, in {seconds} s")


def _store(described, itl, ctl):
    from hal.host import crypto  # it takes a while to load; no other command needs it
    from host_tools.image import provision

    return provision.trust_store(described.image.store_mib * MIB, itl, ctl, crypto())


@app.command()
@plain_errors
def info(
    image: Annotated[pathlib.Path, typer.Argument(help="An image, or a card's device.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Show what an image or a card holds: version, settings, partitions, files."""
    identifier, partitions = layout.partitions(image)
    boot, store = layout.boot_and_store(image)
    facts = json_text.loads(fat.read(image, boot.offset, "build.json"))
    facts["identifier"] = f"{identifier:08x}"
    facts["partitions"] = [vars(partition) for partition in partitions]
    facts["files"] = fat.names(image, boot.offset)
    facts["settings"] = settings.decode(fat.read(image, boot.offset, "phone.json"))
    with open(image, "rb") as file:
        file.seek(store.offset)
        facts["provisioned"] = any(file.read(store.size))
    if json:
        typer.echo(json_text.dumps(facts))
        return
    typer.echo(f"{image}: phonetrust {facts['version']} for {facts['board']}, Linux {facts['kernel']}")
    for partition in partitions:
        kind = "boot, FAT32" if partition.kind == layout.FAT32_LBA else "trust store, raw"
        typer.echo(f"  partition {partition.number}: {kind}, {mebibytes(partition.size)} at {partition.offset}")
    typer.echo(f"  trust store: {'in use' if facts['provisioned'] else 'blank, a new phone'}")
    typer.echo(f"  settings: {json_text.dumps(facts['settings'])}")
    for name, size in facts["files"].items():
        typer.echo(f"  {size:>10} {name}")


if __name__ == "__main__":
    app()
