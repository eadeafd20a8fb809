# SPDX-License-Identifier: MIT
"""The entry point of `phonetrust`: which commands there are, each loaded only when it is used."""

import errno
import importlib
import os
import sys

import typer
from typer.core import TyperGroup

from agent import VERSION
from host_tools.cli import INTERRUPTED
from host_tools.cli.parts import CANNOT_TELL

#: command -> module that has it as `app`, in the order in which help lists them
COMMANDS = {
    "inspect": "host_tools.cli.inspect",
    "diff": "host_tools.cli.diff",
    "preflight": "host_tools.cli.preflight",
    "plan": "host_tools.cli.plan",
    "fetch": "host_tools.cli.fetch",
    "phone": "host_tools.cli.phone",
    "lab": "host_tools.lab.commands.app",
    "image": "host_tools.image.commands",
    "flash": "host_tools.flash.commands",
    "console": "host_tools.console.commands",
    "board": "host_tools.board.commands",
    "completion": "host_tools.cli.completion",
}


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what writing to a file can end with


class Commands(TyperGroup):
    """The commands of COMMANDS; a command loads only its own imports."""

    def list_commands(self, ctx):
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx, cmd_name):
        """The command of this name, loaded now; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(importlib.import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 yes, 1 no, 2 cannot tell. Commands with --json print one JSON document for scripts.",
)


def _version(value: bool):
    if value:
        typer.echo(f"phonetrust {VERSION}")
        raise typer.Exit()


@app.callback()
def top(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
):
    """The trust of IP phones: look into trust lists, see what a phone would decide, run a phone, run a cluster.

    Before a certificate is renewed: [bold]phonetrust preflight NEW-ITL --installed-itl OLD-ITL[/] says whether phones
    will take the new list, and why.
    """


def main():
    """Run the command line. Whatever goes wrong, a user sees one sentence."""
    try:
        app(prog_name="phonetrust")
    except KeyboardInterrupt:
        print("phonetrust: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(141)  # the reader of our output went away
    except Exception as error:
        if os.environ.get("PHONETRUST_TRACEBACK"):
            raise
        # Not 1: that status is the answer no.
        print(f"phonetrust: {_fault(error)}", file=sys.stderr)
        sys.exit(CANNOT_TELL)


def _fault(error):
    if isinstance(error, OSError) and error.errno in _FULL and not error.filename:
        return f"the answer cannot be written: {error.strerror}"
    said = " ".join(str(error).split())[:200]
    return (
        f"a fault of this program, so it cannot tell ({type(error).__name__}: {said}); please report it: "
        "PHONETRUST_TRACEBACK=1 shows where it happened"
    )


if __name__ == "__main__":
    main()
