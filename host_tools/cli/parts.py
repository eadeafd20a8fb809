# SPDX-License-Identifier: MIT
"""Parts that the commands share: reading files, leaving with a sentence, the shape of a command's app."""

import inspect
import json
import typing
from pathlib import Path

import typer

from agent.formats.text import SENTENCES_LIMIT, shown

YES = 0
NO = 1
CANNOT_TELL = 2
LARGEST_FILE = 1 << 28  # bytes of a file that is read whole: more than any firmware load has


def single(command):
    """A typer app that is this one command."""
    app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
    app.command(help=_help(command.__doc__))(command)
    return app


def _help(text):
    """A docstring as a help page: sentences fill the terminal's width, and lines that are indented (examples) stay lines."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(each if each.startswith(" ") else " ".join(each.split()) for each in paragraphs)


def leave(status, sentence) -> typing.NoReturn:
    """End the command with a sentence on standard error."""
    typer.echo(f"phonetrust: {shown(str(sentence), SENTENCES_LIMIT)}", err=True)
    raise typer.Exit(status)


def counted(number, word):
    """A number of things in words: "1 phone", "2 phones"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def mac_of(text):
    """A MAC address, also where somebody gives the name of the device (SEP00270DC01C92)."""
    return text[3:] if text[:3].upper() == "SEP" else text


def read(path) -> bytes:
    """The bytes of a file; leaves with CANNOT_TELL where it cannot be read, or is larger than any file for phones."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        leave(CANNOT_TELL, f"{path}: {getattr(error, 'strerror', None) or error}")
    if len(content) > LARGEST_FILE:
        leave(CANNOT_TELL, f"{path}: it has more than {LARGEST_FILE} bytes; phones get no such file")
    return content


def keep_inputs(outputs, inputs):
    """Leave where a file that is to be written is one of those that are read, or two of them are one. None is no file."""
    taken = [Path(path) for path in inputs if path is not None]
    for path in (Path(each) for each in outputs if each is not None):
        for other in taken:
            if path == other or (path.exists() and other.exists() and path.samefile(other)):
                leave(CANNOT_TELL, f"{path}: it would be written over {other}; name another file")
        taken.append(path)


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
