# SPDX-License-Identifier: MIT
"""`phonetrust completion SHELL`: what a shell needs to complete commands and options with the tab key."""

import enum
from typing import Annotated

import typer
from typer import completion as typers

from host_tools.cli import parts

PROGRAM = "phonetrust"
_VARIABLE = "_PHONETRUST_COMPLETE"


class Shell(enum.StrEnum):
    """The shells that are known."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="The shell.")],
    install: Annotated[
        bool, typer.Option("--install", help="Put it where the shell finds it, and name it in ~/.bashrc or ~/.zshrc.")
    ] = False,
):
    """Print the script that completes this program's commands and options, or install it for yourself.

    [bold]phonetrust completion bash --install[/] is enough; the next shell that starts completes.

    Exit status: 0 done, 2 the script could not be written.
    """
    if not install:
        script = typers.get_completion_script  # pyright: ignore[reportPrivateImportUsage]
        typer.echo(script(prog_name=PROGRAM, complete_var=_VARIABLE, shell=shell.value))
        return
    try:
        write = typers.install  # pyright: ignore[reportPrivateImportUsage]
        _, path = write(shell=shell.value, prog_name=PROGRAM, complete_var=_VARIABLE)
    except OSError as error:
        parts.leave(parts.CANNOT_TELL, f"{error.filename}: {error.strerror}")
    typer.echo(f"{shell.value} completes {PROGRAM} from its next start on: {path}")


app = parts.single(completion)
