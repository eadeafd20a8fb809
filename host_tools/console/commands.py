# SPDX-License-Identifier: MIT
"""phonetrust console: look at and type to a board's serial console, by hand or from a script."""

import contextlib
import pathlib
import sys
from typing import Annotated

import typer

from host_tools.console import port, session
from host_tools.console.keyboard import Keyboard
from host_tools.image.command_parts import plain_errors
from host_tools.image.errors import ImageError

app = typer.Typer(add_completion=False, help="A board's serial console.")


@app.command()
@plain_errors
def console(
    target: Annotated[
        str, typer.Argument(help="/dev/ttyUSB0, socket://HOST:PORT, rfc2217://HOST:PORT, or a running emulated board.")
    ],
    until: Annotated[str | None, typer.Option(help="End with status 0 when this text is seen.")] = None,
    timeout: Annotated[
        float | None, typer.Option(help="End after so many seconds; status 1 if --until still waits.")
    ] = None,
    log: Annotated[pathlib.Path | None, typer.Option(help="Append what is shown to this file.")] = None,
    send: Annotated[list[str] | None, typer.Option(help="A line to send when connected; may be repeated.")] = None,
    timestamps: Annotated[bool, typer.Option(help="Show the time of day before each line.")] = True,
    speed: Annotated[int, typer.Option(help="Baud rate of a serial port.")] = 115200,
):
    """Show the console of TARGET and send keys to it; Ctrl-] ends. If the port goes away, the command waits for it."""
    port.check(target)
    with contextlib.ExitStack() as stack:
        outputs = [sys.stdout]
        if log:
            outputs.append(stack.enter_context(open(log, "a", encoding="utf-8")))
        printer = session.Printer(outputs, timestamps)
        keyboard = stack.enter_context(Keyboard())
        if sys.stdin.isatty():
            printer.note(f"{target}; Ctrl-] ends")
        found = session.run(lambda: _open(target, speed), printer, keyboard, until, timeout, send or ())
    if until and not found:
        raise typer.Exit(1)


def _open(target, speed):
    try:
        return port.open_port(target, speed)
    except ImportError as error:
        raise ImageError("serial ports need labgrid's pyserial: pip install 'phonetrust[hil]'") from error


if __name__ == "__main__":
    app()
