# SPDX-License-Identifier: MIT
"""What the commands for images, cards, consoles and boards share: errors as one sentence, progress on a terminal."""

import contextlib
import functools
import sys
import time

import typer
from rich.console import Console

from host_tools.image.errors import ImageError


class Refusal(ImageError):
    """The answer is a definite no: exit status 1."""


def plain_errors(command):
    """Wrap a command so that an ImageError ends it with one sentence: exit status 1 for a refusal, 2 for other errors."""

    @functools.wraps(command)
    def guarded(*arguments, **options):
        try:
            return command(*arguments, **options)
        except ImageError as error:
            typer.echo(f"phonetrust: {error}", err=True)
            raise typer.Exit(1 if isinstance(error, Refusal) else 2) from error
        except BrokenPipeError:  # the reader of our output has closed it
            sys.stderr.close()
            raise typer.Exit(0) from None
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            typer.echo(f"phonetrust: {what}{error.strerror or error}", err=True)
            raise typer.Exit(2) from error

    return guarded


@contextlib.contextmanager
def steps():
    """Inside, the given function reports the step that begins: a spinner on a terminal, lines with seconds elsewhere."""
    begun = time.monotonic()
    if sys.stderr.isatty():
        with Console(stderr=True).status("") as status:
            yield lambda text: status.update(f"{text} ...")
    else:
        yield lambda text: typer.echo(f"{time.monotonic() - begun:5.1f} s  {text}", err=True)


def mebibytes(size):
    """A size for people: "12.3 MiB"."""
    return f"{size / (1 << 20):.1f} MiB"
