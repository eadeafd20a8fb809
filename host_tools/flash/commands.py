# SPDX-License-Identifier: MIT
"""phonetrust flash: write an image to a card, after asking, and prove that it is there."""

import contextlib
import json as json_text
import os
import pathlib
import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from host_tools.flash import keeping, writer
from host_tools.flash import target as targets
from host_tools.image import fat, layout
from host_tools.image.command_parts import Refusal, mebibytes, plain_errors

app = typer.Typer(add_completion=False, help="Write an image to an SD card or a file.")


@app.command()
@plain_errors
def flash(
    image: Annotated[pathlib.Path, typer.Argument(help="The image, as `phonetrust image build` made it.")],
    target: Annotated[pathlib.Path, typer.Argument(help="The card's device, like /dev/sdb, or a file.")],
    keep_trust: Annotated[
        bool,
        typer.Option("--keep-trust", help="Keep the trust store, phone.json and mic.pem of the phone's card."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    allow_fixed_disk: Annotated[
        bool, typer.Option("--allow-fixed-disk", help="Also write a disk that is not removable.")
    ] = False,
):
    """Write IMAGE to TARGET and read it back. A disk that is mounted or holds the running system is never written."""
    version = check_image(image)
    size = image.stat().st_size
    found = targets.examine(target)
    if found.exists and os.path.samefile(image, target):
        raise Refusal(f"{target}: is the image itself")
    targets.check(found, size, allow_fixed_disk)
    kept = keeping.kept_ranges(image, target) if keep_trust else ()
    typer.echo(f"{version}, {mebibytes(size)}, to {found.describe()}", err=True)
    if not yes and (found.is_device or found.exists):
        if not sys.stdin.isatty():
            raise Refusal(f"{target}: there is no terminal to ask at; scripts use --yes")
        lost = "All but its trust and settings" if keep_trust else "All"
        if not typer.confirm(f"{lost} that is on {target} will be lost. Write it?", err=True):
            raise Refusal(f"{target}: left as it was")
    begun = time.monotonic()
    with (
        keeping.with_files_of(image, target, _say) if keep_trust else contextlib.nullcontext(image) as source,
        _progress() as bars,
    ):
        bar = bars.add_task("writing", total=size)
        writer.write(source, target, lambda done: bars.update(bar, completed=done), kept)
        bar = bars.add_task("reading back", total=size)
        different = writer.first_difference(source, target, lambda done: bars.update(bar, completed=done), kept)
        if different is not None:
            raise Refusal(f"{target}: NOT written: byte {different} reads back different; do not use this card")
    what = f"{version}, beside the trust that was there," if keep_trust else version
    typer.echo(f"{target}: {what} is written and was read back the same, in {time.monotonic() - begun:.1f} s")


def check_image(image):
    """Version and board of an image, as text. ImageError where the file is no image, before anything is touched."""
    boot, _ = layout.boot_and_store(image)
    facts = json_text.loads(fat.read(image, boot.offset, "build.json"))
    return f"phonetrust {facts['version']} for {facts['board']}"


def _say(text):
    typer.echo(text, err=True)


def _progress():
    columns = (TextColumn("{task.description:>12}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
               TimeRemainingColumn())  # fmt: skip
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())


if __name__ == "__main__":
    app()
