# SPDX-License-Identifier: MIT
"""Parts that the commands share: reading files, leaving with a sentence, the shape of a command's app."""

import json
import typing
from pathlib import Path

import typer

from agent.formats.text import SENTENCES_LIMIT, shown

YES = 0
NO = 1
CANNOT_TELL = 2


def single(command):
    """A typer app that is this one command."""
    app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
    app.command()(command)
    return app


def leave(status, sentence) -> typing.NoReturn:
    """End the command with a sentence on standard error."""
    typer.echo(f"phonetrust: {shown(str(sentence), SENTENCES_LIMIT)}", err=True)
    raise typer.Exit(status)


def read(path) -> bytes:
    """The bytes of a file; leaves with CANNOT_TELL where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        leave(CANNOT_TELL, f"{path}: {error.strerror or error}")


def print_json(value):
    """One JSON document, for scripts and for people: characters that would steer a terminal are escaped."""
    typer.echo(json_text(value, indent=2))


def json_text(value, indent=None):
    """JSON as print_json() prints it."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join(letter if letter == "\n" or shown(letter) == letter else f"\\u{ord(letter):04x}" for letter in text)


def host_crypto():
    """The crypto part of this PC's HAL."""
    from hal.host import crypto

    return crypto()
